"""Images: files of images, decoded once into an npy file that can be mapped to memory."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from lvm.files.atomic import open_bytes_array, write_bytes_array
from lvm.files.decoding import decode
from lvm.files.folders import converted_path, is_current, refusing


def check_size(height: int | None, width: int | None) -> None:
    """Raises ValueError unless height and width are both 1 or more, or both None."""
    if (height, width) != (None, None) and not (height and width and min(height, width) > 0):
        raise ValueError(
            f"height and width are {height} and {width}: allowed is 1 or more, or None for both"
        )


def decode_file(
    path: Path, height: int | None, width: int | None
) -> UInt8[np.ndarray, "height width 3"]:
    """Returns the image in a file, resized if height and width are given.

    Raises ValueError, with the path, if it cannot be read or does not decode.
    """
    with refusing(f"{path} cannot be read"):
        image = decode(path.read_bytes(), height, width)
    if image is None:
        raise ValueError(f"{path} does not decode")
    return image


def open_decoded(
    paths: Sequence[Path],
    folder: Path,
    *,
    cache: Path | str | None = None,
    height: int | None = None,
    width: int | None = None,
    show: Callable[[float], object] = lambda fraction: None,
) -> UInt8[np.ndarray, "n height width 3"]:
    """Returns the images at `paths`, resized if height and width are given, mapped from disk.

    The first call for a size decodes the images into one npy file, in `cache` or in `folder`, and
    calls `show` with the fraction that has been decoded. Later calls open that file unless an image
    or its folder is newer. Raises ValueError, with the path, for an image that does not decode or
    differs in size from the first; OSError, without partial output, if the disk refuses the write.
    """
    size = decode_file(paths[0], height, width).shape
    name = f"{folder.resolve().name}_{size[0]}x{size[1]}"
    decoded = converted_path(folder, cache, name)
    if not is_current(decoded, [paths[0].parent, *paths]):
        blocks = _decode_all(paths, height, width, size)
        write_bytes_array(decoded, (len(paths), *size), blocks, show)
    return open_bytes_array(decoded, (len(paths), *size))


def _decode_all(
    paths: Sequence[Path], height: int | None, width: int | None, shape: tuple[int, ...]
) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
    for path in paths:
        image = decode_file(path, height, width)
        if image.shape != shape:
            raise ValueError(
                f"{path} is {image.shape[0]} x {image.shape[1]}: allowed is {shape[0]} x "
                f"{shape[1]}, as the first image; or give height and width"
            )
        yield image
