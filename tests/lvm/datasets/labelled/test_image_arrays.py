import numpy as np
import pytest

from lvm.datasets.labelled.image_arrays import (
    DSPRITES_COLUMNS,
    MPI3D_FACTORS,
    MPI3D_SIZES,
    open_dsprites,
    open_mpi3d_shapes,
    open_npz_images,
)
from tests.disk import all_names

SILENT = lambda fraction: None
SIZES = (1, 3, 2, 4, 3, 2)  # of the factors of a small dSprites


def classes(sizes=SIZES):
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def write_dsprites(path, labels=None, images=None):
    """Writes a file in the layout of dSprites; the pixel (y, x) of an image is its position."""
    labels = classes() if labels is None else labels
    if images is None:
        images = np.zeros((len(labels), 8, 8), np.uint8)
        images[np.arange(len(labels)), labels[:, -1], labels[:, -2]] = 1
    metadata = np.array({"latents_sizes": SIZES}, object)  # a pickle, as in the true file
    np.savez_compressed(
        path, imgs=images, latents_classes=labels, latents_values=labels * 0.5, metadata=metadata
    )
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data.npz"


def test_dsprites_are_read_as_0_or_255_with_their_classes(file):
    data = open_dsprites(write_dsprites(file))
    assert data.shape == (8, 8, 1)
    assert tuple(data.columns) == DSPRITES_COLUMNS
    rows = np.array([0, 17, 143])
    images = data.take(rows, SILENT)
    assert images.dtype == np.uint8 and set(images.ravel()) == {0, 255}
    for image, row in zip(images, rows, strict=True):
        position = data.columns["y_pos"][row], data.columns["x_pos"][row], 0
        np.testing.assert_array_equal(np.argwhere(image), [position])


def test_dsprites_in_another_order_are_refused_with_the_row(file):
    labels = classes()
    labels[[5, 7]] = labels[[7, 5]]
    with pytest.raises(
        ValueError, match=r"latents_classes: orientation is 1 in row 5: allowed is 0"
    ):
        open_dsprites(write_dsprites(file, labels))
    first_fastest = classes(SIZES[::-1])[:, ::-1]
    with pytest.raises(ValueError, match=r"shape is 1 in row 1: allowed is 0"):
        open_dsprites(write_dsprites(file, first_fastest))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": classes()[:-1]}, r"has 143 rows: allowed are 1 x 3 x 2 x 4 x 3 x 2"),
        ({"labels": classes()[:, 1:]}, r"latents_classes has 5 columns: allowed is 6"),
        ({"images": np.ones((143, 8, 8), np.uint8)}, r"color has 144 rows: allowed is 143"),
    ],
)
def test_damaged_dsprites_are_refused(file, change, message):
    with pytest.raises(ValueError, match=message):
        open_dsprites(write_dsprites(file, **change))
    assert all_names(file.parent) == [file.name]


def test_images_of_another_type_are_refused_without_a_copy(file):
    data = open_dsprites(write_dsprites(file, images=np.ones((144, 8, 8))))
    with pytest.raises(ValueError, match="imgs is float64: allowed is uint8"):
        data.take(np.arange(3), SILENT)
    assert all_names(file.parent) == [file.name]


def test_dsprites_with_gray_pixels_are_refused(file):
    data = open_dsprites(write_dsprites(file, images=np.full((144, 8, 8), 7, np.uint8)))
    with pytest.raises(ValueError, match="imgs holds 7: allowed is 0 or 1"):
        data.take(np.arange(3), SILENT)


@pytest.mark.parametrize("leading", [(1,), (6, 6, 2, 3, 3, 2, 1)])
def test_mpi3d_is_read_by_its_order_the_last_factor_fastest(file, leading):
    sizes = MPI3D_SIZES | {"h_axis": 2, "v_axis": 1}
    factors = classes(tuple(sizes.values()))
    images = np.zeros((len(factors), 4, 7, 3), np.uint8) + factors[:, None, :, None].astype("u1")
    shape = images.shape if leading == (1,) else (*leading, 4, 7, 3)
    np.savez(file, images=images.reshape(shape))
    data = open_mpi3d_shapes(file, sizes=sizes)
    rows = np.array([3, 400, 1295])
    taken = data.take(rows, SILENT)[:, 0, :, 0]
    np.testing.assert_array_equal(taken, np.stack(list(data.columns.values()), axis=1)[rows])


def test_the_sizes_of_mpi3d_are_those_of_its_words():
    assert np.prod(list(MPI3D_SIZES.values())) == 1_036_800
    sizes = {factor.name: len(factor.values) for factor in MPI3D_FACTORS}
    assert sizes.items() <= MPI3D_SIZES.items()


def test_mpi3d_of_another_number_of_images_is_refused(file):
    np.savez(file, images=np.zeros((10, 4, 4, 3), np.uint8))
    with pytest.raises(ValueError, match=r"images has shape \(10, 4, 4, 3\): allowed is"):
        open_mpi3d_shapes(file)


@pytest.mark.parametrize("key", ["images", "imgs"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_any_npz_of_images_and_classes_is_read(file, key, channels):
    images = np.random.default_rng(0).integers(0, 256, (9, 5, 6, *channels)).astype(np.uint8)
    labels = np.arange(18).reshape(9, 2)
    np.savez(file, **{key: images}, latents_classes=labels)
    data = open_npz_images(file, names=("a", "b"))
    assert data.shape == (5, 6, *(channels or (1,)))
    rows = np.array([2, 3, 8])
    np.testing.assert_array_equal(data.take(rows, SILENT), images.reshape(9, *data.shape)[rows])
    np.testing.assert_array_equal(data.columns["b"], labels[:, 1])


def test_labels_can_be_in_a_table(file):
    np.savez(file, images=np.zeros((3, 4, 4), np.uint8))
    table = file.with_name("labels.csv")
    table.write_text("shape,size\n0,1\n1,1\n2,0\n")
    data = open_npz_images(file, labels=table)
    assert data.columns == {"shape": ("0", "1", "2"), "size": ("1", "1", "0")}
    table.write_text("shape,size\n0,1\n")
    with pytest.raises(ValueError, match=r"labels\.csv: shape has 1 rows: allowed is 3, one per"):
        open_npz_images(file, labels=table)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.zeros((3, 4, 4), np.uint8)}, "holds images: allowed is latents_classes"),
        ({"latents_classes": np.zeros((3, 1))}, "holds latents_classes: allowed is images or imgs"),
        (
            {"images": np.zeros((4, 4), np.uint8), "latents_classes": np.zeros((4, 1))},
            r"images has shape \(4, 4\): allowed is \(images, height, width\)",
        ),
        (
            {"images": np.zeros((3, 4, 4, 4), np.uint8), "latents_classes": np.zeros((3, 1))},
            "1 or 3 channels",
        ),
        (
            {"images": np.zeros((3, 4, 4), np.uint8), "latents_classes": np.zeros((2, 1), int)},
            "a has 2 rows: allowed is 3, one per image of .*: images",
        ),
        (
            {"images": np.zeros((3, 4, 4), np.uint8), "latents_classes": np.zeros(3)},
            r"latents_classes is float64 \[3\]: allowed are numbers \[images, columns\]",
        ),
        (
            {"images": np.zeros((3, 4, 4), np.uint8), "latents_classes": np.array(["x"] * 3)},
            "allowed are numbers",
        ),
        (
            {"images": np.zeros((3, 4, 4), np.uint8), "latents_classes": np.array([{}] * 3)},
            "latents_classes is damaged, truncated or holds objects",
        ),
    ],
)
def test_bad_files_are_refused_with_the_key(file, arrays, message):
    np.savez(file, **arrays)
    with pytest.raises(ValueError, match=message):
        open_npz_images(file, names=("a",))
    assert all_names(file.parent) == [file.name]
