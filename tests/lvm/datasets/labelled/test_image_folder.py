import numpy as np
import pytest
from PIL import Image

from lvm.datasets.labelled.image_folder import open_image_folder

SILENT = lambda fraction: None


def write_images(folder, names=("a.png", "b.png", "c.png"), sizes=()):
    """Writes images whose gray level is their position, and labels, one row per image."""
    (folder / "images").mkdir(parents=True)
    for index, name in enumerate(names):
        size = sizes[index] if sizes else (8, 6)
        Image.new("L", size, 40 * index).save(folder / "images" / name)
    rows = "\n".join(f"{index},{index % 2}" for index in range(len(names)))
    (folder / "labels.csv").write_text(f"shape,size\n{rows}\n")
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_images(tmp_path / "own")


def levels(data, rows):
    return data.take(np.array(rows), SILENT)[:, 0, 0, 0].tolist()


def test_images_are_read_in_the_order_of_their_names(folder):
    data = open_image_folder(folder)
    assert data.shape == (6, 8, 3)
    assert data.columns == {"shape": ("0", "1", "2"), "size": ("0", "1", "0")}
    assert levels(data, [0, 2]) == [0, 80]


def test_a_column_of_file_names_orders_the_images(folder):
    (folder / "labels.csv").write_text("file,shape\nc.png,2\na.png,0\nb.png,1\n")
    data = open_image_folder(folder)
    assert set(data.columns) == {"shape"}
    assert levels(data, [0, 1, 2]) == [80, 0, 40]
    (folder / "labels.csv").write_text("file,shape\nb.png,1\na.png,0\nc.png,2\n")
    assert levels(open_image_folder(folder), [0, 1, 2]) == [40, 0, 80]  # not the first order


def test_images_are_resized_on_request(folder):
    assert open_image_folder(folder, height=4, width=4).shape == (4, 4, 3)


def test_labels_can_be_in_an_npz_file(folder):
    labels = folder / "labels.npz"
    np.savez(labels, latents_classes=np.array([[1], [0], [1]]))
    data = open_image_folder(folder, names=("shape",), labels=labels)
    np.testing.assert_array_equal(data.columns["shape"], [1, 0, 1])


def test_an_image_of_another_size_is_named(tmp_path):
    folder = write_images(tmp_path / "own", sizes=[(8, 6), (8, 6), (6, 6)])
    with pytest.raises(ValueError, match=r"c\.png is 6 x 6: allowed is 6 x 8, as the first image"):
        levels(open_image_folder(folder), [0])
    assert not list(folder.glob("*.npy*"))
    assert open_image_folder(folder, height=4, width=4).shape == (4, 4, 3)


def test_an_image_that_does_not_decode_is_named(folder):
    (folder / "images" / "b.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"b\.png does not decode"):
        levels(open_image_folder(folder), [0])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            "shape\n0\n1\n",
            r"labels\.csv: shape has 2 rows: allowed is 3, one per image of .*images",
        ),
        ("file,shape\na.png,0\nb.png,1\nd.png,2\n", r"file is d\.png in row 2: allowed is a name"),
        ("file,shape\na.png,0\nb.png,1\na.png,2\n", "file has a name twice"),
        ("shape\n0,1\n1\n2\n", r"labels\.csv: row 0 has 2 fields: allowed is 1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(folder, labels, message):
    (folder / "labels.csv").write_text(labels)
    with pytest.raises(ValueError, match=message):
        open_image_folder(folder)


def test_a_folder_without_images_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_text("shape\n0\n")
    with pytest.raises(ValueError, match="images does not exist: allowed is a folder of images"):
        open_image_folder(tmp_path)
    (tmp_path / "images").mkdir()
    with pytest.raises(ValueError, match="images holds no image"):
        open_image_folder(tmp_path)
