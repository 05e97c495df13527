"""CLIP models: image and text encoders of open_clip, with weights from a file.

open_clip and torch are optional (the extra `clip`) and imported on first use. Nothing is
downloaded.
"""

import difflib
import os
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image

# errors of open_clip and torch for a file that does not hold the weights of a model
UNFIT = (
    AttributeError, EOFError, KeyError, OSError, RuntimeError, TypeError, ValueError,
    pickle.UnpicklingError,
)  # fmt: skip

Prepared = Any  # an image as a tensor, resized and normalised


class ClipModel(NamedTuple):
    """Encoders of one model.

    prepare:       from an image, uint8 [height, width, 3], to the input of `encode_images`.
    encode_images: from prepared images to float32 [n, d].
    encode_texts:  from texts to float32 [n, d].
    """

    prepare: Callable[[UInt8[np.ndarray, "height width 3"]], Prepared]
    encode_images: Callable[[Sequence[Prepared]], Float[np.ndarray, "n d"]]
    encode_texts: Callable[[Sequence[str]], Float[np.ndarray, "n d"]]


def load_clip(name: str, weights: Path) -> ClipModel:
    """Returns the open_clip model of a name, such as ViT-B-32, with the weights of a file.

    It runs on a GPU if torch has one. Images are resized and normalised as the model's weights
    require. Raises ValueError if open_clip is not installed, for an unknown name, and for a file
    that does not exist or does not hold weights of this model.
    """
    if not weights.is_file():
        raise ValueError(f"weights is {weights}: allowed is a file with the weights of {name}")
    os.environ["HF_HUB_OFFLINE"] = "1"  # tokenizers of some models would be downloaded
    try:
        import open_clip  # noqa: PLC0415
        import torch  # noqa: PLC0415
    except ImportError as error:
        raise ValueError(
            f"model is {name}, which needs open_clip: pip install 'misalign[clip]' ({error})"
        ) from None
    if name not in open_clip.list_models():
        nearest = difflib.get_close_matches(name, open_clip.list_models(), 1, 0)[0]
        raise ValueError(
            f"model is {name!r}: allowed is a name of open_clip.list_models(); nearest is "
            f"{nearest!r}"
        )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model, _, preprocess = open_clip.create_model_and_transforms(
            name, pretrained=str(weights), device=device
        )
    except UNFIT as error:
        (reason, *_) = str(error).splitlines() or [type(error).__name__]
        raise ValueError(
            f"weights is {weights}: allowed is a file with the weights of {name}: {reason}"
        ) from error
    tokenize = open_clip.get_tokenizer(name)
    model.eval()

    prepare = lambda image: preprocess(Image.fromarray(image))

    @torch.inference_mode()
    def encode_images(prepared):
        return model.encode_image(torch.stack(prepared).to(device)).float().cpu().numpy()

    @torch.inference_mode()
    def encode_texts(texts):
        return model.encode_text(tokenize(list(texts)).to(device)).float().cpu().numpy()

    return ClipModel(prepare, encode_images, encode_texts)
