"""A stand-in for open_clip and torch: the mean colour of an image, and the colours of words."""

import types
from pathlib import Path

import numpy as np

COLOURS = {
    "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "dark": (40, 10, 10),
    "sea green": (0, 200, 100),
}  # fmt: skip
MODEL = "ViT-S-tiny"


class Tensor(np.ndarray):
    """An array with the methods of a tensor that the command uses."""

    def to(self, device):
        assert device == "cpu"
        return self

    def float(self):
        return self.astype(np.float32)

    def cpu(self):
        return self

    def numpy(self):
        return np.asarray(self)


def tensor(values):
    return np.asarray(values, np.float64).view(Tensor)


class Model:
    """Encodes colours as they are."""

    def __init__(self):
        self.training = True

    def eval(self):
        self.training = False

    def encode_image(self, batch):
        assert not self.training
        return tensor(batch)

    def encode_text(self, tokens):
        assert not self.training
        return tensor(tokens)


def colour_of(text):
    """The colour of the longest name that a text contains."""
    names = [name for name in COLOURS if name in text]
    return COLOURS[max(names, key=len)]


def create_model_and_transforms(name, pretrained, device):
    assert (name, device) == (MODEL, "cpu")
    if Path(pretrained).read_bytes() != b"weights":
        raise RuntimeError("Error(s) in loading state_dict:\n\tMissing key(s)")
    of_image = lambda picture: np.asarray(picture, float).mean((0, 1))
    return Model(), None, of_image


def modules():
    """Returns the modules by name."""
    open_clip = types.SimpleNamespace(
        list_models=lambda: [MODEL, "RN50"],
        create_model_and_transforms=create_model_and_transforms,
        get_tokenizer=lambda name: lambda texts: tensor([colour_of(text) for text in texts]),
    )
    torch = types.SimpleNamespace(
        cuda=types.SimpleNamespace(is_available=lambda: False),
        inference_mode=lambda: lambda function: function,
        stack=lambda parts: tensor(np.stack(parts)),
    )
    return {"open_clip": open_clip, "torch": torch}
