"""Atomic: files and folders that get their names once they are complete."""

import contextlib
import math
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lvm.files.folders import refusing


@contextlib.contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path` and renames it to `path` at the end.

    An interrupted write leaves no partial output; a process that is killed leaves a file or folder
    whose name ends in .partial. Raises OSError that names `path` if the disk refuses the write.
    """
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise OSError(f"{path} cannot be written, nothing of it is left: {error}") from error
    finally:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            partial.unlink(missing_ok=True)


def write_atomically(path: Path, content: str | bytes) -> None:
    """Writes a file completely or not at all; text as UTF-8.

    Raises OSError as `atomic_path` does.
    """
    data = content.encode() if isinstance(content, str) else content
    with atomic_path(path) as partial, partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_bytes_array(
    path: Path,
    shape: tuple[int, ...],
    blocks: Iterable[bytes | UInt8[np.ndarray, "..."]],
    show: Callable[[float], object] = lambda fraction: None,
) -> None:
    """Writes a uint8 array of a shape to an npy file, from consecutive blocks of its bytes.

    `show` is called with the fraction that has been written. Raises ValueError if the blocks do
    not fill the shape, OSError as `atomic_path` does.
    """
    size, written = math.prod(shape), 0
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            written += file.write(block)
            show(written / size)
        if written != size:
            raise ValueError(f"{path} would hold {written} bytes: allowed is {size}, for {shape}")


def open_bytes_array(path: Path, shape: tuple[int, ...]) -> UInt8[np.ndarray, "..."]:
    """Returns the array that `write_bytes_array` wrote, uint8 of a shape, mapped from disk.

    Raises ValueError for a damaged file, another type and another shape.
    """
    with refusing(f"{path} is damaged; delete it to create it again"):
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.dtype != np.uint8 or array.shape != shape:
        raise ValueError(
            f"{path} holds {array.dtype} {array.shape}: allowed is uint8 {shape}; delete it to "
            "create it again"
        )
    return array
