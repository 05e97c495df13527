"""Labelled data: images on disk with the columns of their labels, whatever their file layout."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped, UInt8

from lvm.datasets.mpi3d import take_images
from lvm.datasets.splits import Splits
from lvm.files.columns import read_columns
from lvm.files.npz import read_npz_array

Show = Callable[[float], object]
Take = Callable[..., UInt8[np.ndarray, "m height width channels"]]
Column = Sequence[str] | Shaped[np.ndarray, " _rows"]
LABELS = "latents_classes"  # key of the labels in npz files, as in dSprites


class LabelledData(NamedTuple):
    """Images of a data set, which are read from disk on request, and their labels.

    shape:   (height, width, channels) of an image.
    take:    (rows, show) -> images at ascending rows, in memory: uint8 [m, height, width,
             channels]; the first call converts files that cannot be mapped. `show`, which may be
             omitted, is called with the fraction that has been read.
    columns: the labels [n] by column, as numbers or as the text of a CSV file.
    texts:   captions, one per image; None if the data set has none.
    splits:  of the rows; None if the data set has none.
    """

    shape: tuple[int, int, int]
    take: Take
    columns: Mapping[str, Column]
    texts: Sequence[str] | None = None
    splits: Splits | None = None


def take_converted(
    open_images: Callable[[Show], UInt8[np.ndarray, "n height width channels"]],
    rows: Int[np.ndarray, " m"],
    show: Show = lambda fraction: None,
) -> UInt8[np.ndarray, "m height width channels"]:
    """Returns the images at some rows in memory.

    `open_images` maps all images from disk, which converts them on its first call; it is called
    with a progress function.
    """
    images = open_images(lambda fraction: show(fraction / 2))
    return take_images(images, rows, lambda fraction: show((1 + fraction) / 2))


def label_columns(
    where: str, labels: Shaped[np.ndarray, "..."], names: Sequence[str]
) -> dict[str, Shaped[np.ndarray, " n"]]:
    """Returns the columns of labels by name.

    Raises ValueError that begins with `where` for labels that are not numbers [n, columns] with one
    column for each name.
    """
    if labels.ndim != 2 or labels.dtype.kind not in "iuf":
        raise ValueError(
            f"{where} is {labels.dtype} {list(labels.shape)}: allowed are numbers [images, columns]"
        )
    if labels.shape[1] != len(names):
        raise ValueError(
            f"{where} has {labels.shape[1]} columns: allowed is {len(names)}, one for each of "
            f"{', '.join(names) or 'the columns that are named'}"
        )
    return dict(zip(names, labels.T, strict=True))


def read_labels(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Returns the columns of a CSV file with a header line, or of `latents_classes` in an npz file.

    names: of the columns of an npz file, which has no header.

    Raises ValueError, with the file, if it cannot be read or has another number of columns.
    """
    if path.suffix == ".npz":
        return label_columns(f"{path}: {LABELS}", read_npz_array(path, LABELS), names)
    return dict(read_columns(path, ()))


def check_lengths(images: str, count: int, labels: str, columns: Mapping[str, Column]) -> None:
    """Raises ValueError, with both sources, unless there is one row of labels per image."""
    for name, column in columns.items():
        if len(column) != count:
            raise ValueError(
                f"{labels}: {name} has {len(column)} rows: allowed is {count}, one per image of "
                f"{images}"
            )


def check_product(where: str, columns: Mapping[str, Int[np.ndarray, " n"]]) -> None:
    """Raises ValueError unless rows are all combinations of values, the last column fastest.

    Data sets that vary one factor at a time are in this order, so labels that are not belong to
    other images.
    """
    sizes = [int(column.max(initial=0)) + 1 for column in columns.values()]
    count = len(next(iter(columns.values())))
    if math.prod(sizes) != count:
        shown = " x ".join(map(str, sizes))
        raise ValueError(f"{where} has {count} rows: allowed are {shown}, all combinations")
    for name, expected in product_columns(dict(zip(columns, sizes, strict=True))).items():
        wrong = np.flatnonzero(columns[name] != expected)
        if wrong.size:
            row = wrong[0]
            raise ValueError(
                f"{where}: {name} is {columns[name][row]} in row {row}: allowed is "
                f"{expected[row]}, as all combinations are in order, the last column fastest"
            )


def product_columns(sizes: Mapping[str, int]) -> dict[str, Int[np.ndarray, " n"]]:
    """Returns the values of factors in all combinations, the last factor fastest: int32 [n]."""
    shape = tuple(sizes.values())
    values = np.unravel_index(np.arange(math.prod(shape)), shape)
    return {name: value.astype(np.int32) for name, value in zip(sizes, values, strict=True)}
