"""Embeddings from npz files; each bad file is refused with its path."""

import numpy as np
import pytest

from experiments.zero_shot.embedding_files import read_embeddings

GOOD = {
    "embeddings": np.ones((3, 2), np.float16),
    "concepts": np.array(["dog", "形", "cat"]),
    "groups": np.array(["animal"] * 3),
}


def write(path, **changes):
    np.savez(path, **{key: value for key, value in (GOOD | changes).items() if value is not None})
    return path


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int8])
def test_numbers_of_any_type_are_read_as_float32(tmp_path, dtype):
    rows = read_embeddings(write(tmp_path / "x.npz", embeddings=np.ones((3, 2), dtype)))
    assert rows.embeddings.dtype == np.float32
    assert (rows.concepts, rows.groups) == (["dog", "形", "cat"], ["animal"] * 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"groups": None}, "has no array 'groups': it has embeddings, concepts; allowed are"),
        ({"embeddings": np.array([["a"]] * 3)}, "embeddings are <U1: allowed are numbers"),
        ({"concepts": np.array([1, 2, 3])}, r"concepts are int64 \(3,\): allowed is str"),
        ({"groups": np.array([["a"]] * 3)}, r"groups are <U1 \(3, 1\): allowed is str"),
        ({"groups": np.array(["a", "b", "c"], object)}, "groups cannot be read: Object arrays"),
        ({"embeddings": np.ones(3)}, r"x.npz have shape \(3,\): allowed is \(n, d\)"),
        ({"embeddings": np.ones((2, 2))}, "concepts of .*x.npz are 3: allowed is 2"),
        ({"embeddings": np.full((3, 2), np.nan)}, "x.npz hold NaN or infinity in row 0"),
        ({"embeddings": np.full((3, 2), 1e300)}, "x.npz hold NaN or infinity in row 0"),
        ({"embeddings": np.zeros((0, 2))}, r"x.npz have shape \(0, 2\): allowed is"),
    ],
)
def test_bad_arrays_are_refused(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        read_embeddings(write(tmp_path / "x.npz", **changes))


def test_files_of_another_kind_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(ValueError, match="x.npz does not exist: allowed is an npz file"):
        read_embeddings(path)
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match="x.npz is not an npz file or is damaged"):
        read_embeddings(path)
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(
        ValueError, match="x.npz is not an npz file or is damaged: it is no archive"
    ):
        read_embeddings(path)
    data = write(path).read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ValueError, match="x.npz is not an npz file or is damaged"):
        read_embeddings(path)
