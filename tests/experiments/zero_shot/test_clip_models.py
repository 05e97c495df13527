"""Models of open_clip: with a stand-in, and with open_clip and random weights if installed."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from experiments.zero_shot.clip_models import load_clip
from experiments.zero_shot.encoding import BARE, check_prompts, encode_concepts, encode_folder
from experiments.zero_shot.image_folder import list_images
from tests.experiments.zero_shot.stand_in import COLOURS, MODEL

WEIGHTS = Path("weights.pt")
NAMES = [("colour", "red"), ("nature", "sea_green")]


def test_images_and_texts_become_arrays(folder, open_clip):
    model = load_clip(MODEL, WEIGHTS)
    images = [np.full((3, 2, 3), 7, np.uint8), np.full((5, 5, 3), 9, np.uint8)]
    found = model.encode_images([model.prepare(image) for image in images])
    assert (found.dtype, type(found)) == (np.float32, np.ndarray)
    assert found.tolist() == [[7, 7, 7], [9, 9, 9]]
    assert model.encode_texts(["a blue car"]).tolist() == [list(COLOURS["blue"])]
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_every_concept_is_encoded_in_every_prompt(folder, open_clip):
    model = load_clip(MODEL, WEIGHTS)
    fractions = []
    bare = encode_concepts(model, NAMES, BARE, fractions.append)
    assert fractions == [1]
    assert bare.embeddings.tolist() == [list(COLOURS["red"]), list(COLOURS["sea green"])]
    assert list(zip(bare.groups, bare.concepts, strict=True)) == NAMES
    two = encode_concepts(model, NAMES, ["a {} thing", "the word {}"], fractions.append)
    assert two.concepts == ("red", "red", "sea_green", "sea_green")


def test_an_unreadable_image_is_left_out_of_images_and_labels(folder, open_clip):
    broken = folder / "images/colour/red/1.png"
    broken.write_bytes(broken.read_bytes()[:-30])
    fractions = []
    images = list_images(Path("images")).images
    found = encode_folder(load_clip(MODEL, WEIGHTS), images, fractions.append)
    assert [str(path) for path in found.unreadable] == ["images/colour/red/1.png"]
    assert list(found.images.concepts) == ["blue", "blue", "red", "red", "sea_green", "sea_green"]
    expected = [(0, 20, 250), (0, 0, 200), (255, 30, 0), (250, 0, 20), (0, 190, 90), (0, 210, 110)]
    np.testing.assert_array_equal(found.images.embeddings, expected)
    assert fractions[-1] == 1


def test_only_unreadable_images_are_refused(folder, open_clip):
    images = list_images(Path("images")).images
    for image in images:
        image.path.write_bytes(b"no image")
    with pytest.raises(ValueError, match="0.png and all other images cannot be read"):
        encode_folder(load_clip(MODEL, WEIGHTS), images, lambda fraction: None)


@pytest.mark.parametrize(
    ("name", "weights", "message"),
    [
        ("ViT-S-tin", "weights.pt", "model is 'ViT-S-tin': .* nearest is 'ViT-S-tiny'"),
        (MODEL, "nope.pt", "weights is nope.pt: allowed is a file with the weights of ViT-S-tiny"),
        (
            MODEL,
            "x.npz",
            r"x.npz: allowed is a file with the weights of ViT-S-tiny: Error\(s\) in [a-z_ ]*:$",
        ),
    ],
)
def test_errors_name_the_model_and_the_weights(folder, open_clip, name, weights, message):
    with pytest.raises(ValueError, match=message):
        load_clip(name, Path(weights))


def test_without_open_clip_the_error_says_how_to_install_it(folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(ValueError, match=r"needs open_clip: pip install 'misalign\[clip\]'"):
        load_clip(MODEL, WEIGHTS)


def test_prompts_have_a_place_for_the_concept():
    check_prompts(["{}", "a {} car"])
    with pytest.raises(ValueError, match="prompts hold 'a photo': allowed are texts with {}"):
        check_prompts(["{}", "a photo"])


TINY = {
    "embed_dim": 8,
    "vision_cfg": {"image_size": 16, "layers": 1, "width": 16, "head_width": 8, "patch_size": 8},
    "text_cfg": {
        "context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1,
    },
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # of torch and its dependencies
def test_a_model_of_open_clip_with_random_weights(folder, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    open_clip = pytest.importorskip("open_clip")
    torch = pytest.importorskip("torch")
    (folder / "tiny.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "tiny.json")
    source = open_clip.create_model("tiny").eval()
    torch.save(source.state_dict(), "random.pt")
    model = load_clip("tiny", Path("random.pt"))
    texts = ["red", "a photo of a dog"]
    expected = source.encode_text(open_clip.get_tokenizer("tiny")(texts)).detach().numpy()
    np.testing.assert_allclose(model.encode_texts(texts), expected, atol=1e-5)
    images = list_images(Path("images")).images
    found = encode_folder(model, images, lambda fraction: None)
    assert found.images.embeddings.shape == (len(images), 8)
    blue = np.full((4, 5, 3), (0, 20, 250), np.uint8)
    alone = model.encode_images([model.prepare(blue)])
    np.testing.assert_allclose(found.images.embeddings[0], alone[0], atol=1e-5)
    with pytest.raises(
        ValueError, match="weights is weights.pt: allowed is a file with the weights of tiny: .+$"
    ):
        load_clip("tiny", WEIGHTS)
    torch.save({"a": torch.zeros(1)}, "other.pt")
    with pytest.raises(
        ValueError, match="weights is other.pt: allowed is a file with the weights of tiny: .+$"
    ):
        load_clip("tiny", Path("other.pt"))
