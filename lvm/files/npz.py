"""Npz: an array of bytes in an npz file, written to a file of its own that can be mapped to memory.

An archive cannot be read at any place, and unpacked it may be larger than memory: so it is copied
once, block by block.
"""

import math
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lvm.files.atomic import open_bytes_array, write_bytes_array
from lvm.files.folders import is_current, refusing

BLOCK = 1 << 24  # bytes that are copied at once

Header = tuple[tuple[int, ...], bool, np.dtype]  # shape, whether the first axis is fastest, type


def open_npz_array(
    file: Path,
    key: str,
    *,
    converted: Path,
    shape: tuple[int, ...],
    show: Callable[[float], object] = lambda share: None,
) -> UInt8[np.ndarray, "..."]:
    """The array `key` of an npz file, uint8 of a shape, from the file `converted` on disk.

    That is written if it is not there or older than the npz file, which may be gone otherwise;
    `show` hears the share. The array may have more leading axes than the shape. Raises ValueError,
    with file and key, for a file that is missing, damaged or cut off, and for an array that is
    missing or of another type or shape; OSError where the disk does not take the copy, of which
    nothing is left then.
    """
    if not is_current(converted, [file]):
        _convert(file, key, converted, shape, show)
    return open_bytes_array(converted, shape)


def _convert(file: Path, key: str, converted: Path, shape: tuple[int, ...], show) -> None:
    if not file.is_file():
        raise ValueError(f"{file}: there is no such file")
    with refusing(f"{file} is no npz file or a damaged one"):
        archive = zipfile.ZipFile(file)
    with archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        if key not in keys:
            raise ValueError(f"{file} holds {', '.join(keys) or 'nothing'}: allowed is {key}")
        damaged = f"{file}: {key} is damaged or cut off"
        with refusing(damaged):
            member = archive.open(f"{key}.npy")
        with member:
            with refusing(damaged):
                header = _read_header(member)
            _check_header(f"{file}: {key}", header, shape)
            write_bytes_array(converted, shape, _blocks(member, math.prod(shape), damaged), show)


def _read_header(member: zipfile.ZipExtFile) -> Header:
    version = np.lib.format.read_magic(member)
    readers = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in readers:
        raise ValueError(f"its npy format is {version}: allowed is (1, 0) or (2, 0)")
    return readers[version](member)


def _check_header(where: str, header: Header, shape: tuple[int, ...]) -> None:
    there, first_is_fastest, dtype = header
    if dtype != np.uint8 or first_is_fastest:
        order = ", first axis fastest" if first_is_fastest else ""
        raise ValueError(f"{where} is {dtype}{order}: allowed is uint8, last axis fastest")
    if there[1 - len(shape) :] != shape[1:] or math.prod(there) != math.prod(shape):
        raise ValueError(
            f"{where} has shape {there}: allowed is {shape}, or more axes in place of the first"
        )


def _blocks(member: zipfile.ZipExtFile, size: int, damaged: str) -> Iterator[bytes]:
    """The bytes that follow the header."""
    left = size
    while left:
        with refusing(damaged):
            block = member.read(min(BLOCK, left))
            if not block:
                raise ValueError(f"{left} bytes of {size} are missing")
        left -= len(block)
        yield block
    with refusing(damaged):  # the checksum is compared at the end
        if member.read(1):
            raise ValueError("it is longer than its shape")
