import numpy as np
import pytest

from lvm.files.atomic import (
    atomic_path,
    open_bytes_array,
    write_atomically,
    write_bytes_array,
)
from tests.disk import all_names, files_of_at_most

ARRAY = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made" / "array.npy"


def test_an_array_file_equals_that_of_numpy(path):
    fractions = []
    write_bytes_array(path, (4, 3, 2), [ARRAY[:1].tobytes(), ARRAY[1:]], fractions.append)
    np.testing.assert_array_equal(np.load(path), ARRAY)
    assert fractions == [0.25, 1.0]
    assert all_names(path.parent) == ["array.npy"]
    mapped = open_bytes_array(path, (4, 3, 2))
    assert isinstance(mapped, np.memmap)
    np.testing.assert_array_equal(mapped, ARRAY)


@pytest.mark.parametrize("blocks", [[ARRAY[:3]], [ARRAY, ARRAY[:1]]])
def test_blocks_that_do_not_fill_the_shape_are_refused(path, blocks):
    with pytest.raises(ValueError, match=r"array.npy would hold \d+ bytes: allowed is 24, for"):
        write_bytes_array(path, (4, 3, 2), blocks)
    assert all_names(path.parent) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError("bad block"), MemoryError])
def test_an_interrupted_write_leaves_no_partial_output(path, error):
    def blocks():
        yield ARRAY[:1]
        raise error

    with pytest.raises(type(error) if isinstance(error, Exception) else error):
        write_bytes_array(path, (4, 3, 2), blocks())
    assert all_names(path.parent) == []


def test_a_full_disk_is_reported_with_the_file_and_keeps_the_old_content(path):
    write_bytes_array(path, (4, 3, 2), [ARRAY])
    with files_of_at_most(1 << 16), pytest.raises(OSError, match="array.npy cannot be written, no"):
        write_bytes_array(path, (1 << 17,), [bytes(1 << 17)])
    assert all_names(path.parent) == ["array.npy"]
    np.testing.assert_array_equal(np.load(path), ARRAY)


def test_a_folder_is_written_atomically(tmp_path):
    with atomic_path(tmp_path / "folder") as partial:
        (partial / "inner").mkdir(parents=True)
        (partial / "inner" / "file").write_text("content")
        assert not (tmp_path / "folder").exists()
        assert partial.name.endswith(".partial")
    assert all_names(tmp_path) == ["folder", "folder/inner", "folder/inner/file"]
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "other") as partial:
        (partial / "inner").mkdir(parents=True)
        raise RuntimeError
    assert all_names(tmp_path) == ["folder", "folder/inner", "folder/inner/file"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (ARRAY[:2], r"array.npy holds uint8 \(2, 3, 2\): allowed is uint8 \(4, 3, 2\); delete it"),
        (ARRAY.astype(np.int16), r"array.npy holds int16 \(4, 3, 2\): allowed is uint8"),
        (ARRAY.astype(object), "array.npy is damaged; delete it to create it again"),
    ],
)
def test_other_arrays_are_refused(path, content, message):
    path.parent.mkdir()
    np.save(path, content)
    with pytest.raises(ValueError, match=message):
        open_bytes_array(path, (4, 3, 2))


def test_a_truncated_array_is_refused(path):
    write_bytes_array(path, (4, 3, 2), [ARRAY])
    content = path.read_bytes()
    for cut in range(0, len(content), 7):
        path.write_bytes(content[:cut])
        with pytest.raises(ValueError, match=r"array.npy is damaged; delete it"):
            open_bytes_array(path, (4, 3, 2))


@pytest.mark.parametrize(("content", "data"), [("a é\n", b"a \xc3\xa9\n"), (b"\0\xff", b"\0\xff")])
def test_an_atomic_write_replaces_the_content_of_a_file(tmp_path, content, data):
    write_atomically(tmp_path / "file", "longer than what comes")
    write_atomically(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_previous_content(tmp_path, monkeypatch):
    def fail(file):
        raise OSError("no space left on device")

    write_atomically(tmp_path / "file", "old")
    monkeypatch.setattr("lvm.files.atomic.os.fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
