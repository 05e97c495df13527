import numpy as np
import pytest
from PIL import Image

from lvm.datasets.multimodal3dident import (
    MODES,
    TEXT_COLUMNS,
    open_multimodal3dident,
    read_multimodal3dident_captions,
)
from lvm.files.columns import write_columns
from tests.lvm.datasets.test_causal3dident_reading import made_latents

COUNTS = {"train": 12, "val": 3, "test": 4}
SILENT = lambda fraction: None


def write_multimodal3dident(folder, side=8):
    """Writes a folder in the layout of Multimodal3DIdent; gray levels count the images."""
    level = 0
    for seed, mode in enumerate(MODES):
        count, part = COUNTS[mode], folder / mode
        (part / "images").mkdir(parents=True)
        (part / "text").mkdir()
        latents = made_latents(count, seed)
        write_columns(part / "latents_image.csv", latents)
        for index in range(count):
            name = f"{index:0{len(str(count - 1))}d}.png"
            Image.new("RGB", (side, side), (level,) * 3).save(part / "images" / name)
            level += 1
        values = {name: np.arange(count) % size for name, size in TEXT_COLUMNS.items()}
        write_columns(part / "latents_text.csv", values)
        texts = [f"A hare {shape:.0f} is visible." for shape in latents["object_shape"]]
        (part / "text" / "text_raw.txt").write_text("\n".join(texts))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_multimodal3dident(tmp_path / "m3di")


def test_all_modes_are_read_with_their_splits(folder):
    data = open_multimodal3dident(folder)
    assert data.shape == (8, 8, 3)
    assert [rows.tolist() for rows in data.splits] == [
        [*range(12)], [12, 13, 14], [15, 16, 17, 18],
    ]  # fmt: skip
    rows = np.array([0, 11, 13, 18])
    assert data.take(rows, SILENT)[:, 0, 0, 0].tolist() == rows.tolist()
    for mode, of_mode in zip(MODES, data.splits, strict=True):
        expected = made_latents(COUNTS[mode], MODES.index(mode))
        np.testing.assert_array_equal(
            data.columns["object_color"][of_mode], expected["object_color"]
        )
    shapes = data.columns["object_shape"].astype(int)
    assert list(data.texts) == [f"A hare {shape} is visible." for shape in shapes]


def test_captions_are_read_with_their_values(folder):
    captions = read_multimodal3dident_captions(folder, "train")
    assert captions.vocabulary[:3] == ("", "A", "hare")
    np.testing.assert_array_equal(captions.values["text_phrasing"], np.arange(12) % 5)
    test = read_multimodal3dident_captions(
        folder, "val", ("", "A", "hare", "is", "visible", *"0123456")
    )
    assert test.ids.shape == (3, 5)


def test_a_missing_table_and_other_modes_are_refused(folder):
    with pytest.raises(ValueError, match="mode is 'dev': allowed is one of train, val, test"):
        read_multimodal3dident_captions(folder, "dev")
    (folder / "val" / "latents_text.csv").unlink()
    with pytest.raises(ValueError, match=r"val/latents_text\.csv cannot be read"):
        open_multimodal3dident(folder)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a"] * 11, r"train/text/text_raw\.txt has 11 captions: allowed is 12"),
        (
            ["a"] * 5 + [""] + ["a"] * 6,
            r"text_raw\.txt: caption 5 is '': allowed is a line of words",
        ),
    ],
)
def test_captions_that_do_not_fit_are_refused(folder, texts, message):
    (folder / "train" / "text" / "text_raw.txt").write_text("\n".join(texts))
    with pytest.raises(ValueError, match=message):
        open_multimodal3dident(folder)
