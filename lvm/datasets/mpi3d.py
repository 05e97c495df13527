"""MPI3D-Complex: real photographs of four things on a robot's arm, from the file of its authors.

`real3d_complicated_shapes_ordered.npz` holds uint8 `images` in the order of the factors, the last
one fastest: color, shape, size, camera and background, which captions can tell, then where the
arm's two axes stand, 40 x 40 positions, which belong to the image alone. A file with fewer
positions, of 288 x H x V images, is read likewise where (H, V) is told.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int, UInt8

from lvm.captions.language import Factor
from lvm.datasets.splits import Splits, drawn_splits
from lvm.files.columns import check_column, read_columns
from lvm.files.folders import converted_path
from lvm.files.npz import open_npz_array
from lvm.files.texts import CaptionFile, make_vocabulary, read_texts, word_ids

FACTORS = (
    Factor("color", ("yellow", "green", "olive", "red")),
    Factor("shape", ("coffee-cup", "tennis-ball", "croissant", "beer-cup")),
    Factor("size", ("small", "large")),
    Factor("camera", ("top", "center", "bottom")),
    Factor("background", ("purple", "sea-green", "salmon")),
)
PHRASINGS = (
    "the robot holds out a [{size}] [{color}] [{shape}] [before a {background} wall] "
    "[filmed from the {camera}]",
    "[looking from the {camera}] this photo has one thing [made as a {shape}] [painted {color}] "
    "[of {size} build] [with {background} behind it]",
    "here somebody sees an object [whose backdrop is {background}] [whose size is {size}] "
    "[whose color is {color}] [whose shape is {shape}] [whose view is {camera}]",
)
FILE = "real3d_complicated_shapes_ordered.npz"
KEY = "images"
POSITIONS = (40, 40)  # of the two axes
SIDE = 64  # pixels
COLUMNS = ("OBJ_COLOR", "OBJ_SHAPE", "OBJ_SIZE", "CAMERA", "BACKGROUND", "H_AXIS", "V_AXIS")
BIASES = ("selection", "perturbation")
PART = 4096  # images that are read at once


def mpi3d_sizes(positions: tuple[int, int] = POSITIONS) -> tuple[int, ...]:
    """How many values each of the seven factors has."""
    return (*(len(factor.values) for factor in FACTORS), *positions)


def mpi3d_factors(
    rows: Int[np.ndarray, " n"], positions: tuple[int, int] = POSITIONS
) -> Int[np.ndarray, "n 7"]:
    """The factors of images by their places in the file: int32 [n, 7], values from 0."""
    return np.stack(np.unravel_index(rows, mpi3d_sizes(positions)), axis=1).astype(np.int32)


def draw_mpi3d_splits(positions: tuple[int, int], images: int | None, seed: int) -> Splits:
    """Places of images in the file, of `images` that a seed draws, or of all.

    Of all there are 414,720 to train on and 23,040 in either other split, as in the paper. Raises
    ValueError for a number out of range and for a split without some value of a semantic factor.
    """
    total = math.prod(mpi3d_sizes(positions))
    splits = drawn_splits(total, total if images is None else images, seed)
    for split, rows in splits._asdict().items():
        for factor, values in zip(FACTORS, mpi3d_factors(rows, positions).T, strict=False):
            for value, word in enumerate(factor.values):
                if value not in values:
                    raise ValueError(
                        f"the {split} split has no image with {factor.name} {word!r}: allowed is "
                        "every value in all; take more images or another seed"
                    )
    return splits


def open_mpi3d(
    path: Path | str,
    *,
    positions: tuple[int, int] = POSITIONS,
    height: int = SIDE,
    width: int = SIDE,
    cache: Path | str | None = None,
    show: Callable[[float], object] = lambda share: None,
) -> UInt8[np.ndarray, "n height width 3"]:
    """All images, uint8 [n, height, width, 3], read from disk as they are looked at.

    `path` is the npz file or its folder. The first call converts it to an npy file, in the folder
    `cache` or beside it; `show` hears the share of that. Once converted, the npz file may go.
    Raises ValueError and OSError as `open_npz_array` does.
    """
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    converted = converted_path(file.parent, cache, file.stem)
    shape = (math.prod(mpi3d_sizes(positions)), height, width, 3)
    return open_npz_array(file, KEY, converted=converted, shape=shape, show=show)


def take_images(
    images: UInt8[np.ndarray, "n height width channels"],
    rows: Int[np.ndarray, " m"],
    show: Callable[[float], object] = lambda share: None,
) -> UInt8[np.ndarray, "m height width channels"]:
    """Some images in memory; of a file, no others are read. `show` hears the share that is."""
    taken = np.empty((len(rows), *images.shape[1:]), np.uint8)
    for start in range(0, len(rows), PART):
        part = slice(start, start + PART)
        taken[part] = images[rows[part]]
        show(min(1.0, (start + PART) / len(rows)))
    return taken


def read_mpi3d_captions(
    folder: Path | str,
    split: str,
    bias: str,
    number: int,
    *,
    positions: tuple[int, int] = POSITIONS,
    vocabulary: tuple[str, ...] | None = None,
) -> tuple[Int[np.ndarray, " n"], CaptionFile]:
    """The images of the split "train" or "test", by place in the file, int64 [n], and captions.

    bias: "selection" or "perturbation"; number: its setting, 0 to 4. The factors of images stand in
    SPLIT/image_semantics.csv, the captions in SPLIT/text_BIAS_NUMBER.txt and the factors that they
    tell in SPLIT/text_semantics_BIAS_NUMBER.csv. The vocabulary is that of the captions unless one
    is given: that of the train split for the test split.

    Raises ValueError, with file and column or caption, for a setting that there is not, a file that
    cannot be read or lacks a column, a factor out of range, another number of captions than of
    images, and a word that the vocabulary lacks.
    """
    if bias not in BIASES or not 0 <= number < len(FACTORS):
        raise ValueError(
            f"captions are of {bias} {number}: allowed are {' and '.join(BIASES)} 0..4"
        )
    place, setting = Path(folder) / split, f"{bias}_{number}"
    sizes = mpi3d_sizes(positions)
    factors = _read_factors(place / "image_semantics.csv", COLUMNS, sizes)
    said = COLUMNS[: number + 1] if bias == "selection" else COLUMNS[: len(FACTORS)]
    told = _read_factors(place / f"text_semantics_{setting}.csv", said, sizes)
    rows = np.ravel_multi_index(tuple(factors.values()), sizes)
    texts = read_texts(place / f"text_{setting}.txt", len(rows), "image_semantics.csv")
    if len(told["OBJ_COLOR"]) != len(rows):
        raise ValueError(
            f"{place}/text_semantics_{setting}.csv has {len(told['OBJ_COLOR'])} rows: allowed are "
            f"{len(rows)}, as in image_semantics.csv"
        )
    vocabulary = vocabulary or make_vocabulary(texts)
    ids = word_ids(f"{place}/text_{setting}.txt", texts, vocabulary)
    return rows, CaptionFile(texts, ids, vocabulary, told)


def _read_factors(
    path: Path, names: Sequence[str], sizes: Sequence[int]
) -> dict[str, Int[np.ndarray, " n"]]:
    columns = read_columns(path, names)
    return {
        name: check_column(f"{path}: {name}", columns[name], size)
        for name, size in zip(names, sizes, strict=False)
    }
