import csv
import os

import numpy as np
import pytest
from PIL import Image

from lvm import datasets
from lvm.datasets.causal3dident.reading import IMAGE_COLUMNS, KINDS, caption_columns, image_name
from tests.disk import all_names, files_of_at_most

COUNT = 12


def made_latents(count=COUNT, seed=0):
    random = np.random.default_rng(seed)
    return {
        name: random.integers(0, allowed, count).astype(np.float32)
        if isinstance(allowed, int)
        else random.uniform(0, 1, count).astype(np.float32)
        for name, allowed in IMAGE_COLUMNS.items()
    }


def made_images(count=COUNT, height=6, width=8):
    random = np.random.default_rng(1)
    return random.integers(0, 256, (count, height, width, 3)).astype(np.uint8)


def made_captions(kind, setting, count=COUNT):
    random = np.random.default_rng(2)
    values = {
        name: np.array(["tab:blue", "robin's egg blue", "pea soup, dark"])[np.arange(count) % 3]
        if allowed is None
        else random.integers(0, allowed, count).astype(np.int32)
        if isinstance(allowed, int)
        else random.uniform(0, 1, count).astype(np.float32)
        for name, allowed in caption_columns(kind, setting).items()
    }
    texts = tuple(f'A "{shape}" is visible, {kind}.' for shape in values["object_shape"])
    return texts, values


def write(folder, settings=((KINDS[0], 0), (KINDS[0], 6), (KINDS[1], 3)), **changes):
    """Writes a random data set; `changes` replace its parts."""
    made = {
        "images": made_images(),
        "latents": made_latents(),
        "captions": {setting: made_captions(*setting) for setting in settings},
    }
    datasets.write_causal3dident(folder, **(made | changes))
    return folder


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "scenes"


def assert_same(columns, expected):
    assert list(columns) == list(expected)
    for name, column in expected.items():
        assert columns[name].dtype == column.dtype
        np.testing.assert_array_equal(columns[name], column)


@pytest.mark.parametrize(
    ("index", "count", "name"),
    [(0, 1, "0"), (9, 10, "9"), (9, 11, "09"), (7, 1000, "007"), (42, 100_000, "00042")],
)
def test_image_names_are_padded_to_the_length_of_the_last(index, count, name):
    assert image_name(index, count) == f"{name}.png"


def test_a_data_set_round_trips(folder):
    write(folder)
    scenes = datasets.read_causal3dident(folder)
    assert isinstance(scenes.images, np.memmap)
    np.testing.assert_array_equal(scenes.images, made_images())
    assert_same(scenes.latents, made_latents())
    for setting in (("selections", 0), ("selections", 6), ("perturbations", 3)):
        captions = datasets.read_causal3dident_captions(folder, *setting)
        texts, values = made_captions(*setting)
        assert captions.texts == texts
        assert_same(captions.values, values)
        words = np.array(captions.vocabulary, object)[captions.ids]
        assert [" ".join(row) for row in words] == [
            text.replace('"', "").replace(",", "").replace(".", "") for text in texts
        ]


def test_images_are_decoded_once_per_size(folder, tmp_path):
    write(folder)
    fractions = []
    for _ in range(2):
        images = datasets.read_causal3dident(
            folder, height=3, width=4, cache=tmp_path / "cache", show=fractions.append
        ).images
        assert images.shape == (12, 3, 4, 3)
        np.testing.assert_allclose(images.mean(), made_images().mean(), atol=2)
    np.testing.assert_allclose(fractions, np.arange(1, 13) / 12)
    (name,) = all_names(tmp_path / "cache")
    assert name.startswith("scenes_3x4_")
    assert datasets.read_causal3dident(folder).images.shape == (12, 6, 8, 3)
    assert (folder / "scenes_6x8.npy").exists()


def test_two_folders_of_the_same_name_can_share_a_cache(folder, tmp_path):
    """Both are called scenes and hold equally many images of the same size."""
    cache, other = tmp_path / "cache", tmp_path / "other" / "scenes"
    write(folder)
    write(other, images=255 - made_images())
    for _ in range(2):
        first, second = (
            datasets.read_causal3dident(path, cache=cache).images for path in (folder, other)
        )
        np.testing.assert_array_equal(first, made_images())
        np.testing.assert_array_equal(second, 255 - made_images())


def test_newer_images_are_decoded_again(folder):
    write(folder)
    datasets.read_causal3dident(folder)
    path = folder / "images" / image_name(3, COUNT)
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(path)
    later = (folder / "scenes_6x8.npy").stat().st_mtime + 10
    os.utime(path, (later, later))
    assert (datasets.read_causal3dident(folder).images[3] == 0).all()


def test_a_vocabulary_may_be_given(folder):
    write(folder)
    vocabulary = datasets.read_causal3dident_captions(folder, "selections", 0).vocabulary
    again = datasets.read_causal3dident_captions(folder, "selections", 6, vocabulary)
    assert again.vocabulary == vocabulary
    message = (
        "perturbations_3/text_raw.txt: caption 0 contains 'perturbations': allowed is one of the"
    )
    with pytest.raises(ValueError, match=message):
        datasets.read_causal3dident_captions(folder, "perturbations", 3, vocabulary)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("images/03.png", None, "images/03.png is missing: latents_image.csv has 12 rows"),
        ("images/12.png", b"", "images holds 13 images: allowed is 12, one per row of latents_"),
        ("images/03.png", b"no image", "images/03.png does not decode"),
        ("latents_image.csv", None, "latents_image.csv cannot be read: .*No such file"),
        ("latents_image.csv", b"object_shape\n1\n", "latents_image.csv has no column object_xpos"),
        ("latents_image.csv", ",".join(IMAGE_COLUMNS).encode(), "latents_image.csv has 0 rows"),
    ],
)
def test_damaged_folders_are_refused_with_the_file(folder, name, content, message):
    write(folder)
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        datasets.read_causal3dident(folder)
    assert not list(folder.glob("*.npy*"))


def test_an_image_that_is_truncated_or_of_another_size_is_refused(folder):
    write(folder)
    path = folder / "images" / "05.png"
    content = path.read_bytes()
    path.write_bytes(content[:-40])
    with pytest.raises(ValueError, match=r"images/05.png does not decode"):
        datasets.read_causal3dident(folder)
    Image.new("RGB", (4, 4)).save(path)
    with pytest.raises(ValueError, match="05.png is 4 x 4: allowed is 6 x 8, as the first image;"):
        datasets.read_causal3dident(folder)
    assert not list(folder.glob("*.npy*"))
    assert datasets.read_causal3dident(folder, height=6, width=8).images.shape == (12, 6, 8, 3)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("object_color", "nan", "object_color is nan in row 2: allowed is a number, 0.0 to 1.0"),
        ("object_zpos", "NaN", "object_zpos is NaN in row 2: allowed is a number"),
        ("object_shape", "7", "object_shape is 7 in row 2: allowed is an integer, 0..6"),
        ("object_xpos", "0.5", "object_xpos is 0.5 in row 2: allowed is an integer, 0..2"),
        ("object_betarot", "1.5", "object_betarot is 1.5 in row 2: allowed is a number"),
        ("spotlight_pos", "center", "spotlight_pos is center in row 2: allowed is a number"),
    ],
)
def test_latents_out_of_range_are_refused_with_file_and_column(folder, column, value, message):
    write(folder)
    change(folder / "latents_image.csv", column, value)
    with pytest.raises(ValueError, match=f"latents_image.csv: {message}"):
        datasets.read_causal3dident(folder)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("object_color_index", "10", "object_color_index is 10 in row 2: allowed is .* 0..9"),
        ("splotlight_color_index", "148", "splotlight_color_index is 148 in row 2"),
        ("text_phrasing", "5", "text_phrasing is 5 in row 2: allowed is an integer, 0..4"),
        ("spotlight_pos", "", "spotlight_pos is  in row 2: allowed is a number"),
    ],
)
def test_caption_values_out_of_range_are_refused_with_file_and_column(
    folder, column, value, message
):
    write(folder)
    change(folder / "latents_text_selections_6.csv", column, value)
    with pytest.raises(ValueError, match=f"latents_text_selections_6.csv: {message}"):
        datasets.read_causal3dident_captions(folder, "selections", 6)


def change(path, column, value):
    """Sets a column of the third row of a table."""
    header, *rows = csv.reader(path.read_text().splitlines())
    rows[2][header.index(column)] = value
    with path.open("w") as file:
        csv.writer(file).writerows([header, *rows])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "text/selections_0/text_raw.txt",
            "A hare.\nA cow.",
            "has 2 captions: allowed is 12, as in",
        ),
        (
            "latents_text_selections_0.csv",
            "object_shape,text_phrasing\n1,2\n",
            "latents_text_selections_0.csv has 1 rows: allowed is 12, as in latents_image.csv",
        ),
        ("latents_text_selections_0.csv", "object_shape\n1\n", "has no column text_phrasing"),
    ],
)
def test_damaged_captions_are_refused_with_the_file(folder, name, content, message):
    write(folder)
    (folder / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        datasets.read_causal3dident_captions(folder, "selections", 0)


def test_a_correctly_spelt_spotlight_column_is_refused(folder):
    write(folder)
    path = folder / "latents_text_selections_6.csv"
    path.write_text(path.read_text().replace("splotlight", "spotlight"))
    with pytest.raises(ValueError, match="selections_6.csv has no column splotlight_color_name"):
        datasets.read_causal3dident_captions(folder, "selections", 6)


@pytest.mark.parametrize(("kind", "setting"), [("selection", 0), ("selections", 7)])
def test_unknown_settings_are_refused(folder, kind, setting):
    message = f"kind and setting are {kind} and {setting}: allowed are selections or perturbations"
    with pytest.raises(ValueError, match=message):
        datasets.read_causal3dident_captions(folder, kind, setting)


@pytest.mark.parametrize("size", [(0, 4), (4, None), (None, -1)])
def test_invalid_sizes_are_refused(folder, size):
    with pytest.raises(ValueError, match=f"height and width are {size[0]} and {size[1]}: allowed"):
        datasets.read_causal3dident(folder, height=size[0], width=size[1])


def test_a_full_disk_leaves_no_decoded_images(folder):
    write(folder)
    before = all_names(folder)
    with files_of_at_most(1000), pytest.raises(OSError, match="scenes_6x8.npy cannot be written"):
        datasets.read_causal3dident(folder)
    assert all_names(folder) == before
