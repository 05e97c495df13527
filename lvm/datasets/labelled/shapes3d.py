"""Shapes3D: 480,000 rendered scenes (github.com/google-deepmind/3d-shapes), from its HDF5 file.

`images`, uint8 [480000, 64, 64, 3], and `labels`, float64 [480000, 6], the values of six factors.
All combinations are in order, the last factor fastest.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from lvm.captions.language import Factor
from lvm.datasets.labelled.labelled_data import (
    LabelledData,
    check_lengths,
    check_product,
    label_columns,
)
from lvm.files.folders import refusing

COLUMNS = ("floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation")
HUES = ("red", "orange", "yellow", "lime", "green", "teal", "cyan", "blue", "purple", "pink")
SCALES = ("minute", "tiny", "small", "modest", "medium", "large", "huge", "giant")
FACTORS = (
    *(
        Factor(f"{part}_hue", tuple(f"{part}-{hue}" for hue in HUES))
        for part in ("floor", "wall", "object")
    ),
    Factor("scale", SCALES),
    Factor("shape", ("cube", "cylinder", "sphere", "capsule")),
)
PHRASINGS = (
    "a scene [with {object_hue} color] [showing one {shape}] [of {scale} size] [on {floor_hue} "
    "ground] [before the {wall_hue} backdrop]",
    "[the {shape}] [painted {object_hue}] [and {scale}] [stands at {wall_hue}] [upon {floor_hue}]",
    "this room has [the {wall_hue} side] [and {floor_hue} tiles] [it holds some {shape}] "
    "[which is {object_hue}] [its build is {scale}]",
)
BLOCK = 4096  # images read at once


def open_shapes3d(file: Path | str) -> LabelledData:
    """Returns the images of Shapes3D, read block by block on request, and their factors.

    Raises ValueError, with the file, if it cannot be read, if images and labels differ in number,
    and for labels in another order than that of the data set; ValueError too if h5py is missing.
    """
    file = Path(file)
    with _open(file) as archive:
        shape, dtype = archive["images"].shape, archive["images"].dtype
        labels = archive["labels"][:]
    if len(shape) != 4 or dtype != np.uint8:
        raise ValueError(
            f"{file}: images is {dtype} {list(shape)}: allowed is uint8 [images, height, width, 3]"
        )
    values = label_columns(f"{file}: labels", labels, COLUMNS)
    check_lengths(f"{file}: images", shape[0], f"{file}: labels", values)
    columns = {name: _classes(column) for name, column in values.items()}
    check_product(f"{file}: labels", columns)

    def take(rows, show=lambda fraction: None):
        taken = np.empty((len(rows), *shape[1:]), np.uint8)
        with _open(file) as archive, refusing(f"{file}: images is damaged or truncated"):
            for start in range(0, shape[0], BLOCK):
                first, last = np.searchsorted(rows, [start, start + BLOCK])
                if last > first:
                    block = archive["images"][start : start + BLOCK]
                    taken[first:last] = block[rows[first:last] - start]
                show(min(1.0, (start + BLOCK) / shape[0]))
        return taken

    return LabelledData(shape[1:], take, columns)


def _classes(values: Float[np.ndarray, " n"]) -> Int[np.ndarray, " n"]:
    """Returns the position of each value among the distinct ones, ascending: int32 [n]."""
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _open(file: Path):
    try:
        import h5py  # noqa: PLC0415 - optional
    except ImportError:
        raise ValueError(
            f"{file} is an HDF5 file, and h5py is missing: pip install 'misalign[hdf5]'"
        ) from None
    if not file.is_file():
        raise ValueError(f"{file} does not exist: allowed is an HDF5 file, as 3dshapes.h5")
    with refusing(f"{file} is not an HDF5 file or is damaged"):
        archive = h5py.File(file, "r")
    for key in ("images", "labels"):
        if key not in archive:
            found = ", ".join(archive) or "nothing"
            archive.close()
            raise ValueError(f"{file} holds {found}: allowed is {key}")
    return archive
