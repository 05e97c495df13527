"""A folder of coloured images, and the stand-in for open_clip."""

import sys

import numpy as np
import pytest
from PIL import Image

from tests.experiments.zero_shot import stand_in

# concept -> colours of its images: the second image of red is nearer to blue
PICTURES = {
    "colour/red": [(255, 30, 0), (90, 0, 220), (250, 0, 20)],
    "colour/blue": [(0, 20, 250), (0, 0, 200)],
    "nature/sea_green": [(0, 190, 90), (0, 210, 110)],
}


@pytest.fixture
def open_clip(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    for name, module in stand_in.modules().items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with `images`, `weights.pt` and the embeddings of the same images."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pt").write_bytes(b"weights")
    for name, colours in PICTURES.items():
        concept = tmp_path / "images" / name
        concept.mkdir(parents=True)
        for index, colour in enumerate(colours):
            Image.new("RGB", (5, 4), colour).save(concept / f"{index}.png")
    names = [name.split("/") for name, colours in PICTURES.items() for _ in colours]
    groups, concepts = zip(*names, strict=True)
    embeddings = np.array([colour for colours in PICTURES.values() for colour in colours])
    np.savez("x.npz", embeddings=embeddings, concepts=np.array(concepts), groups=np.array(groups))
    np.savez(
        "t.npz",
        embeddings=np.array([stand_in.COLOURS[name] for name in ("red", "blue", "sea green")]),
        concepts=np.array(["red", "blue", "sea_green"]),
        groups=np.array(["colour", "colour", "nature"]),
    )
    return tmp_path
