"""The layout of Causal3DIdent is written atomically."""

import numpy as np
import pytest

from lvm import datasets
from tests.disk import all_names, files_of_at_most
from tests.lvm.datasets.test_causal3dident_reading import (
    made_captions,
    made_images,
    made_latents,
    write,
)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "scenes"


def test_the_layout_is_that_of_the_paper(folder):
    write(folder, settings=[("selections", 5), ("perturbations", 0)])
    assert all_names(folder) == sorted(
        [
            "images",
            *(f"images/{index:02d}.png" for index in range(12)),
            "latents_image.csv",
            "latents_text_perturbations_0.csv",
            "latents_text_selections_5.csv",
            "text",
            "text/perturbations_0",
            "text/perturbations_0/text_raw.txt",
            "text/selections_5",
            "text/selections_5/text_raw.txt",
        ]
    )
    header = lambda name: (folder / name).read_text().split("\n")[0]
    assert header("latents_image.csv") == (
        "object_shape,object_xpos,object_ypos,object_zpos,object_alpharot,object_betarot,"
        "object_gammarot,object_color,spotlight_pos,spotlight_color,background_color"
    )
    assert header("latents_text_selections_5.csv") == (
        "object_shape,object_xpos,object_ypos,spotlight_pos,object_color_name,object_color_index,"
        "splotlight_color_name,splotlight_color_index,text_phrasing"
    )
    assert "background_color_name,background_color_index,text_phrasing" in header(
        "latents_text_perturbations_0.csv"
    )
    text = (folder / "text/selections_5/text_raw.txt").read_text()
    assert text.count("\n") == 11
    assert not text.endswith("\n")


def test_images_may_be_an_iterator(folder):
    fractions = []
    write(folder, images=iter(made_images()), show=fractions.append)
    np.testing.assert_array_equal(datasets.read_causal3dident(folder).images, made_images())
    assert fractions == [1.0]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": made_images(11)}, "11 images were given: allowed is 12, as in latents_image"),
        ({"images": made_images(13)}, r"image 12 is uint8 \(6, 8, 3\): allowed are 12 images"),
        (
            {"images": [*made_images(11), np.zeros((4, 4, 3), np.uint8)]},
            r"image 11 is uint8 \(4, 4, 3\): allowed are 12 images, uint8 \(6, 8, 3\)",
        ),
        ({"latents": {"object_shape": np.zeros(12)}}, "has columns object_shape: allowed are obj"),
        (
            {"latents": made_latents() | {"object_color": np.full(12, np.nan)}},
            "latents_image.csv: object_color is nan in row 0: allowed is a number",
        ),
        (
            {"latents": made_latents() | {"object_color": np.zeros(11)}},
            "latents_image.csv: object_color has 11 rows: allowed is 12",
        ),
        ({"latents": made_latents(0)}, "object_shape has 0 rows: allowed is 1 or more"),
        (
            {"captions": {("selections", 0): made_captions("selections", 1)}},
            "selections_0.csv has columns object_shape, object_xpos, text_phrasing: allowed are",
        ),
        (
            {"captions": {("selections", 0): made_captions("selections", 0, 5)}},
            "selections_0.csv: object_shape has 5 rows: allowed is 12, as in latents_image.csv",
        ),
        (
            {"captions": {("selections", 0): (["one"], made_captions("selections", 0)[1])}},
            "text/selections_0/text_raw.txt has 1 captions: allowed is 12, as in latents_image",
        ),
        (
            {"captions": {("selections", 9): made_captions("selections", 0)}},
            "kind and setting are selections and 9",
        ),
    ],
)
def test_invalid_data_are_refused_before_writing(folder, changes, message):
    with pytest.raises(ValueError, match=message):
        write(folder, **changes)
    assert all_names(folder.parent) == []


def test_an_existing_folder_is_not_changed(folder):
    write(folder)
    with pytest.raises(ValueError, match="scenes already exists: allowed is a new folder"):
        write(folder, images=255 - made_images())
    np.testing.assert_array_equal(datasets.read_causal3dident(folder).images, made_images())


@pytest.mark.parametrize("most", [50, 600])
def test_a_full_disk_leaves_no_partial_output(folder, most):
    """With 50 bytes no image fits; with 600 images fit and tables do not."""
    with (
        files_of_at_most(most),
        pytest.raises(OSError, match="scenes cannot be written, nothing of"),
    ):
        write(folder)
    assert all_names(folder.parent) == []


def test_an_interrupted_write_leaves_no_partial_output(folder):
    def images():
        yield from made_images()[:5]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(folder, images=images())
    assert all_names(folder.parent) == []
