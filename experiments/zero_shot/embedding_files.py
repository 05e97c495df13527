"""Embedding files: representations of images or texts, with their concepts, in an npz file."""

import zipfile
from pathlib import Path

import numpy as np

from experiments.zero_shot.candidates import Embeddings, check_embeddings
from lvm.files.folders import refusing

KEYS = ("embeddings", "concepts", "groups")


def read_embeddings(path: Path) -> Embeddings:
    """Returns the arrays `embeddings` [n, d], `concepts` [n] and `groups` [n] of an npz file.

    Embeddings are converted to float32; concepts and groups are str. Raises ValueError, with the
    file, if it is missing or damaged, lacks an array, or as `check_embeddings` does.
    """
    if not path.is_file():
        raise ValueError(f"{path} does not exist: allowed is an npz file")
    with refusing(f"{path} is not an npz file or is damaged"):
        if not zipfile.is_zipfile(path):  # np.load would leave such a file open
            raise ValueError("it is no archive")
        archive = np.load(path, allow_pickle=False)
    with archive:
        if missing := [key for key in KEYS if key not in archive.files]:
            raise ValueError(
                f"{path} has no array {missing[0]!r}: it has {', '.join(archive.files) or 'none'}; "
                f"allowed are {', '.join(KEYS)}"
            )
        embeddings, concepts, groups = (_array(path, archive, key) for key in KEYS)
    if embeddings.dtype.kind not in "fiu":
        raise ValueError(f"{path}: embeddings are {embeddings.dtype}: allowed are numbers")
    for key, names in (("concepts", concepts), ("groups", groups)):
        if names.dtype.kind != "U" or names.ndim != 1:
            raise ValueError(
                f"{path}: {key} are {names.dtype} {names.shape}: allowed is str (n,), as in "
                "np.array(names, str)"
            )
    with np.errstate(over="ignore"):  # infinity is refused
        rows = Embeddings(embeddings.astype(np.float32), concepts.tolist(), groups.tolist())
    check_embeddings(str(path), rows)
    return rows


def _array(path: Path, archive, key: str) -> np.ndarray:
    with refusing(f"{path}: {key} cannot be read"):
        return archive[key]
