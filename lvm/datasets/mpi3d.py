"""MPI3D-Complex: real photographs of four objects on a robot's arm, from its authors' file.

`real3d_complicated_shapes_ordered.npz` holds uint8 `images` in the order of the factors, the last
one fastest: color, shape, size, camera and background, which captions can mention, then 40 x 40
positions of the arm's two axes, which are image-only. A file of 288 x H x V images can be read by
passing positions=(H, V).
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
IMAGES_PER_READ = 4096


def mpi3d_sizes(positions: tuple[int, int] = POSITIONS) -> tuple[int, ...]:
    """Returns the number of values of each of the seven factors."""
    return (*(len(factor.values) for factor in FACTORS), *positions)


def mpi3d_factors(
    rows: Int[np.ndarray, " n"], positions: tuple[int, int] = POSITIONS
) -> Int[np.ndarray, "n 7"]:
    """Returns the factors of the images at rows of the file: int32 [n, 7], values from 0."""
    return np.stack(np.unravel_index(rows, mpi3d_sizes(positions)), axis=1).astype(np.int32)


def draw_mpi3d_splits(positions: tuple[int, int], images: int | None, seed: int) -> Splits:
    """Returns splits of the rows of the file: of `images` rows drawn with a seed, or of all.

    All rows give 414,720 images for train and 23,040 for val and for test, as in the paper. Raises
    ValueError for a number out of range and for a split that lacks a value of a semantic factor.
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
    show: Callable[[float], object] = lambda fraction: None,
) -> UInt8[np.ndarray, "n height width 3"]:
    """Returns all images, uint8 [n, height, width, 3], mapped from disk.

    `path` is the npz file or its folder. The first call converts it to an npy file, in the folder
    `cache` or beside it, and calls `show` with the fraction that has been converted. Afterwards the
    npz file is not needed. Raises ValueError and OSError as `open_npz_array` does.
    """
    path = Path(path)
    file = path / FILE if path.is_dir() else path
    converted = converted_path(file.parent, cache, file.stem)
    shape = (math.prod(mpi3d_sizes(positions)), height, width, 3)
    return open_npz_array(file, KEY, converted=converted, shape=shape, show=show)


def take_images(
    images: UInt8[np.ndarray, "n height width channels"],
    rows: Int[np.ndarray, " m"],
    show: Callable[[float], object] = lambda fraction: None,
) -> UInt8[np.ndarray, "m height width channels"]:
    """Returns the images at some rows in memory; from a mapped file, only these are read.

    `show` is called with the fraction that has been read.
    """
    taken = np.empty((len(rows), *images.shape[1:]), np.uint8)
    for start in range(0, len(rows), IMAGES_PER_READ):
        part = slice(start, start + IMAGES_PER_READ)
        taken[part] = images[rows[part]]
        show(min(1.0, (start + IMAGES_PER_READ) / len(rows)))
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
    """Returns the rows of the images in the npz file, int64 [n], and their captions.

    split:      "train" or "test".
    bias:       "selection" or "perturbation".
    number:     setting of the bias, 0 to 4.
    vocabulary: by default that of the captions; give that of the train split for the test split.

    The factors of images are in SPLIT/image_semantics.csv, the captions in
    SPLIT/text_BIAS_NUMBER.txt and the caption values in SPLIT/text_semantics_BIAS_NUMBER.csv.

    Raises ValueError, with file and column or caption, for an unknown setting, a file that cannot
    be read or lacks a column, a factor out of range, different numbers of captions and images, and
    a word that the vocabulary lacks.
    """
    if bias not in BIASES or not 0 <= number < len(FACTORS):
        raise ValueError(
            f"bias and number are {bias} and {number}: allowed are {' or '.join(BIASES)}, and 0..4"
        )
    split_folder, setting = Path(folder) / split, f"{bias}_{number}"
    sizes = mpi3d_sizes(positions)
    factors = _read_factors(split_folder / "image_semantics.csv", COLUMNS, sizes)
    mentioned = COLUMNS[: number + 1] if bias == "selection" else COLUMNS[: len(FACTORS)]
    values_path = split_folder / f"text_semantics_{setting}.csv"
    values = _read_factors(values_path, mentioned, sizes)
    rows = np.ravel_multi_index(tuple(factors.values()), sizes)
    text_path = split_folder / f"text_{setting}.txt"
    texts = read_texts(text_path, len(rows), "image_semantics.csv")
    if len(values["OBJ_COLOR"]) != len(rows):
        raise ValueError(
            f"{values_path} has {len(values['OBJ_COLOR'])} rows: allowed is {len(rows)}, as in "
            "image_semantics.csv"
        )
    vocabulary = vocabulary or make_vocabulary(texts)
    ids = word_ids(str(text_path), texts, vocabulary)
    return rows, CaptionFile(texts, ids, vocabulary, values)


def _read_factors(
    path: Path, names: Sequence[str], sizes: Sequence[int]
) -> dict[str, Int[np.ndarray, " n"]]:
    columns = read_columns(path, names)
    return {
        name: check_column(f"{path}: {name}", columns[name], size)
        for name, size in zip(names, sizes, strict=False)
    }
