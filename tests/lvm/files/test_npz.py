import io
import zipfile

import numpy as np
import pytest

from lvm.files import npz
from lvm.files.npz import open_npz_array
from tests.disk import all_names, files_of_at_most

SHAPE = (30, 4, 5, 3)
ARRAY = np.random.default_rng(0).integers(0, 256, SHAPE).astype(np.uint8)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "data.npz"


def opened(file, shape=SHAPE, show=lambda fraction: None):
    return open_npz_array(
        file, "images", converted=file.with_name("data.npy"), shape=shape, show=show
    )


def write_zip(file, name, content):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, content)


def as_npy(array, version=(1, 0)):
    written = io.BytesIO()
    np.lib.format.write_array(written, array, version)
    return written.getvalue()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("shape", [SHAPE, (5, 3, 2, 4, 5, 3)])
def test_an_array_is_read_in_blocks(file, monkeypatch, save, shape):
    monkeypatch.setattr(npz, "BLOCK", 700)
    save(file, other=np.zeros(3), images=ARRAY.reshape(shape))
    fractions = []
    images = opened(file, show=fractions.append)
    assert isinstance(images, np.memmap)
    np.testing.assert_array_equal(images, ARRAY)
    np.testing.assert_allclose(fractions, [700 / 1800, 1400 / 1800, 1])


def test_an_npy_header_of_version_2_is_read(file):
    write_zip(file, "images.npy", as_npy(ARRAY, (2, 0)))
    np.testing.assert_array_equal(opened(file), ARRAY)


def test_an_array_is_converted_again_only_if_the_archive_is_newer(file):
    np.savez(file, images=ARRAY)
    opened(file)
    fractions = []
    opened(file, show=fractions.append)
    assert not fractions
    np.savez(file, images=255 - ARRAY)
    np.testing.assert_array_equal(opened(file, show=fractions.append), 255 - ARRAY)
    assert fractions
    file.unlink()
    np.testing.assert_array_equal(opened(file), 255 - ARRAY)


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({"image": ARRAY, "b": ARRAY}, "data.npz holds image, b: allowed is images"),
        ({}, "data.npz holds nothing: allowed is images"),
        ({"images": ARRAY.astype(np.float32)}, "data.npz: images is float32: allowed is uint8"),
        (
            {"images": np.asfortranarray(ARRAY)},
            "images is uint8 in Fortran order: allowed is uint8 in C order",
        ),
        (
            {"images": ARRAY[1:]},
            r"images has shape \(29, 4, 5, 3\): allowed is \(30, 4, 5, 3\), or",
        ),
        ({"images": ARRAY.reshape(30, 5, 4, 3)}, r"images has shape \(30, 5, 4, 3\): allowed"),
        ({"images": ARRAY.reshape(-1)}, r"images has shape \(1800,\): allowed"),
    ],
)
def test_other_arrays_are_refused_with_file_and_key(file, saved, message):
    np.savez(file, **saved)
    with pytest.raises(ValueError, match=message):
        opened(file)
    assert all_names(file.parent) == ["data.npz"]


class Trap:
    """An object that runs code if it is unpickled."""

    def __reduce__(self):
        return exec, ("raise SystemExit('unpickled')",)


def test_pickled_objects_are_refused_without_unpickling(file):
    np.savez(file, images=np.full(30, Trap(), object))
    with pytest.raises(ValueError, match="data.npz: images is object: allowed is uint8"):
        opened(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no array", "images is damaged or truncated: the magic string is not correct"),
        (as_npy(ARRAY, (3, 0)), r"its npy format is \(3, 0\): allowed is \(1, 0\) or \(2, 0\)"),
        (as_npy(ARRAY)[:-5], "images is damaged or truncated: 5 bytes of 1800 are missing"),
        (as_npy(ARRAY) + b"more", "images is damaged or truncated: it is longer than its shape"),
    ],
)
def test_damaged_arrays_in_intact_archives_are_refused(file, content, message):
    write_zip(file, "images.npy", content)
    with pytest.raises(
        ValueError, match=f"data.npz: {message}" if "npy" not in message else message
    ):
        opened(file)
    assert all_names(file.parent) == ["data.npz"]


def test_files_that_are_not_archives_are_refused(file):
    with pytest.raises(ValueError, match="data.npz does not exist: allowed is an npz file"):
        opened(file)
    file.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="data.npz is not an npz file or is damaged"):
        opened(file)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_truncated_archive_leaves_no_partial_output(file, save):
    save(file, images=ARRAY)
    content = file.read_bytes()
    for cut in np.linspace(0, len(content) - 1, 40, dtype=int):
        for part in (content[:cut], content[cut + 1 :]):
            file.write_bytes(part)
            with pytest.raises(ValueError, match="data.npz"):
                opened(file)
            assert all_names(file.parent) == ["data.npz"]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_a_corrupted_byte_is_detected(file, save):
    save(file, images=ARRAY)
    content = bytearray(file.read_bytes())
    for position in np.linspace(60, 1700, 40, dtype=int):
        damaged = content.copy()
        damaged[position] ^= 255
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="data.npz: images "):
            opened(file)
        assert all_names(file.parent) == ["data.npz"]


def test_an_interrupted_conversion_leaves_no_partial_output(file):
    def interrupt(fraction):
        raise KeyboardInterrupt

    np.savez(file, images=ARRAY)
    with pytest.raises(KeyboardInterrupt):
        opened(file, show=interrupt)
    assert all_names(file.parent) == ["data.npz"]
    np.testing.assert_array_equal(opened(file), ARRAY)


def test_a_full_disk_leaves_no_partial_output(file):
    np.savez(file, images=ARRAY)
    with (
        files_of_at_most(1000),
        pytest.raises(OSError, match="data.npy cannot be written, nothing"),
    ):
        opened(file)
    assert all_names(file.parent) == ["data.npz"]
