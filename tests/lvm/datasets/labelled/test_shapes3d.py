import sys

import h5py
import numpy as np
import pytest

from lvm.datasets.labelled import shapes3d
from lvm.datasets.labelled.shapes3d import COLUMNS, FACTORS, open_shapes3d

SIZES = (2, 3, 2, 2, 4, 3)


def write_shapes3d(path, labels=None, images=None):
    """Writes a file in the layout of Shapes3D; the first row of an image is its factors."""
    factors = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    if images is None:
        images = np.zeros((len(factors), 6, 6, 3), np.uint8)
        images[:, 0] = factors[..., None]
    values = factors * np.array([0.1, 0.1, 0.1, 0.5 / 7, 1, 60 / 14]) + [0, 0, 0, 0.75, 0, -30]
    with h5py.File(path, "w") as file:
        file.create_dataset(
            "images", data=images, compression="gzip", chunks=(1, *images.shape[1:])
        )
        file["labels"] = values if labels is None else labels(values)
    return path


@pytest.fixture
def file(tmp_path):
    return tmp_path / "3dshapes.h5"


def test_factors_are_the_positions_of_the_stored_values(file):
    data = open_shapes3d(write_shapes3d(file))
    assert data.shape == (6, 6, 3)
    images = data.take(np.arange(288), lambda fraction: None)
    np.testing.assert_array_equal(images[:, 0, :, 0], np.stack(list(data.columns.values()), axis=1))


def test_images_are_read_block_by_block(file, monkeypatch):
    monkeypatch.setattr(shapes3d, "BLOCK", 100)
    data = open_shapes3d(write_shapes3d(file))
    largest = []
    read = h5py.Dataset.__getitem__

    def recorded(dataset, key):
        part = read(dataset, key)
        largest.append(len(part))
        return part

    monkeypatch.setattr(h5py.Dataset, "__getitem__", recorded)
    fractions, rows = [], np.array([0, 99, 100, 250, 287])
    images = data.take(rows, fractions.append)
    assert max(largest) <= 100
    np.testing.assert_array_equal(images[:, 0, 4, 0], data.columns["shape"][rows])
    np.testing.assert_allclose(fractions, [100 / 288, 200 / 288, 1])


def test_labels_in_another_order_are_refused_with_the_row(file):
    def exchanged(values):
        values[[10, 11]] = values[[11, 10]]
        return values

    with pytest.raises(ValueError, match=r"labels: orientation is 2 in row 10: allowed is 1"):
        open_shapes3d(write_shapes3d(file, exchanged))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": lambda values: values[:-1]}, "labels: floor_hue has 287 rows: allowed is 288"),
        ({"labels": lambda values: values[:, 1:]}, "labels has 5 columns: allowed is 6"),
        (
            {"images": np.zeros((288, 6, 6, 3), "f4")},
            r"images is float32 \[288, 6, 6, 3\]: allowed",
        ),
    ],
)
def test_damaged_data_are_refused(file, change, message):
    with pytest.raises(ValueError, match=message):
        open_shapes3d(write_shapes3d(file, **change))


def test_files_that_are_not_shapes3d_are_refused(file):
    with pytest.raises(ValueError, match=r"3dshapes\.h5 does not exist"):
        open_shapes3d(file)
    file.write_bytes(b"no HDF5")
    with pytest.raises(ValueError, match="is not an HDF5 file or is damaged"):
        open_shapes3d(file)
    with h5py.File(file, "w") as archive:
        archive["images"] = np.zeros(3)
    with pytest.raises(ValueError, match="holds images: allowed is labels"):
        open_shapes3d(file)


def test_a_missing_h5py_is_named_with_the_extra(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ValueError, match=r"h5py is missing: pip install 'misalign\[hdf5\]'"):
        open_shapes3d(file)


def test_words_are_those_of_all_columns_but_the_orientation():
    assert (*(factor.name for factor in FACTORS), "orientation") == COLUMNS
    assert [len(factor.values) for factor in FACTORS] == [10, 10, 10, 8, 4]
