"""Npz: a uint8 array in an npz file, converted to an npy file that can be mapped to memory.

A zip archive has no random access, and its content may be larger than memory. It is therefore
copied once, block by block.
"""

import contextlib
import math
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
from jaxtyping import Shaped, UInt8

from lvm.files.atomic import open_bytes_array, write_bytes_array
from lvm.files.folders import is_current, refusing

BLOCK = 1 << 24  # bytes copied at once

Header = tuple[tuple[int, ...], bool, np.dtype]  # shape, whether in Fortran order, type


def open_npz_array(
    file: Path,
    key: str,
    *,
    converted: Path,
    shape: tuple[int, ...],
    show: Callable[[float], object] = lambda fraction: None,
) -> UInt8[np.ndarray, "..."]:
    """Returns the array `key` of an npz file, uint8 of a shape, mapped from the file `converted`.

    `converted` is written if it is missing or older than the npz file; otherwise the npz file is
    not needed. `show` is called with the fraction that has been written. The array in the npz file
    may have more leading axes than `shape`. Raises ValueError, with file and key, for a file that
    is missing, damaged or truncated, and for an array that is missing or of another type or shape;
    OSError, without partial output, if the disk refuses the write.
    """
    if not is_current(converted, [file]):
        _convert(file, key, converted, shape, show)
    return open_bytes_array(converted, shape)


def npz_keys(file: Path) -> tuple[str, ...]:
    """Returns the keys of an npz file; raises ValueError if it is missing or damaged."""
    with _open_archive(file) as archive:
        return _keys(archive)


def npz_shape(file: Path, key: str) -> tuple[int, ...]:
    """Returns the shape of the array `key` of an npz file, without reading the array.

    Raises ValueError as `open_npz_array` does.
    """
    damaged = f"{file}: {key} is damaged or truncated"
    with _open_member(file, key) as member, refusing(damaged):
        return _read_header(member)[0]


def read_npz_array(file: Path, key: str) -> Shaped[np.ndarray, "..."]:
    """Returns the array `key` of an npz file, of any type but objects, in memory.

    Raises ValueError as `open_npz_array` does.
    """
    damaged = f"{file}: {key} is damaged, truncated or holds objects"
    with _open_member(file, key) as member, refusing(damaged):
        return np.lib.format.read_array(member, allow_pickle=False)


def _convert(file: Path, key: str, converted: Path, shape: tuple[int, ...], show) -> None:
    with _open_member(file, key) as member:
        damaged = f"{file}: {key} is damaged or truncated"
        with refusing(damaged):
            header = _read_header(member)
        _check_header(f"{file}: {key}", header, shape)
        write_bytes_array(converted, shape, _blocks(member, math.prod(shape), damaged), show)


def _open_archive(file: Path) -> zipfile.ZipFile:
    if not file.is_file():
        raise ValueError(f"{file} does not exist: allowed is an npz file")
    with refusing(f"{file} is not an npz file or is damaged"):
        return zipfile.ZipFile(file)


@contextlib.contextmanager
def _open_member(file: Path, key: str) -> Iterator[IO[bytes]]:
    with _open_archive(file) as archive:
        keys = _keys(archive)
        if key not in keys:
            raise ValueError(f"{file} holds {', '.join(keys) or 'nothing'}: allowed is {key}")
        with refusing(f"{file}: {key} is damaged or truncated"):
            member = archive.open(f"{key}.npy")
        with member:
            yield member


def _keys(archive: zipfile.ZipFile) -> tuple[str, ...]:
    return tuple(name.removesuffix(".npy") for name in archive.namelist())


def _read_header(member) -> Header:
    version = np.lib.format.read_magic(member)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"its npy format is {version}: allowed is (1, 0) or (2, 0)")
    return readers[version](member)


def _check_header(where: str, header: Header, shape: tuple[int, ...]) -> None:
    found_shape, fortran_order, dtype = header
    if dtype != np.uint8 or fortran_order:
        order = " in Fortran order" if fortran_order else ""
        raise ValueError(f"{where} is {dtype}{order}: allowed is uint8 in C order")
    if found_shape[1 - len(shape) :] != shape[1:] or math.prod(found_shape) != math.prod(shape):
        raise ValueError(
            f"{where} has shape {found_shape}: allowed is {shape}, or several axes instead of the "
            "first"
        )


def _blocks(member, size: int, damaged: str) -> Iterator[bytes]:
    """Yields the `size` bytes that follow the header, block by block."""
    remaining = size
    while remaining:
        with refusing(damaged):
            block = member.read(min(BLOCK, remaining))
            if not block:
                raise ValueError(f"{remaining} bytes of {size} are missing")
        remaining -= len(block)
        yield block
    with refusing(damaged):  # zipfile verifies the checksum at the end of the data
        if member.read(1):
            raise ValueError("it is longer than its shape")
