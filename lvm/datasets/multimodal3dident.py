"""Multimodal3DIdent: rendered scenes with captions (arXiv 2303.09166), in its authors' layout.

{mode}/latents_image.csv     latents of the images, one row per image
{mode}/images/{i:0Wd}.png    W = ceil(log10 N) of N images
{mode}/latents_text.csv      caption values
{mode}/text/text_raw.txt     captions, one per line

Modes are "train", "val" and "test". Images and their latents are as in Causal3DIdent.
"""

import itertools
from functools import partial
from pathlib import Path

import numpy as np

from lvm.datasets.causal3dident.reading import (
    IMAGE_COLUMNS,
    LATENTS,
    Renders,
    read_causal3dident,
)
from lvm.datasets.labelled.labelled_data import LabelledData, Show, silent
from lvm.datasets.mpi3d import take_images
from lvm.datasets.splits import Splits
from lvm.files.columns import Allowed, check_column, read_columns
from lvm.files.texts import CaptionFile, make_vocabulary, read_texts, word_ids

MODES = ("train", "val", "test")
TEXT_LATENTS = "latents_text.csv"
TEXT_COLUMNS: dict[str, Allowed] = {
    "object_shape": 7,
    "object_xpos": 3,
    "object_ypos": 3,
    "object_color_index": 10,
    "text_phrasing": 5,
}
FACTORS = (("object_shape", 7), ("object_xpos", 3), ("object_ypos", 3))
VALUES = (  # measured as numbers
    "object_color",
    "spotlight_pos",
    "spotlight_color",
    "background_color",
    "object_alpharot",
    "object_betarot",
    "object_gammarot",
)


def read_multimodal3dident_captions(
    folder: Path | str, mode: str, vocabulary: tuple[str, ...] | None = None
) -> CaptionFile:
    """Returns the captions of a mode, and their values by column.

    The vocabulary is that of the captions unless one is given, such as that of the training
    captions. Raises ValueError, with file and column or caption, for an unknown mode, a file that
    cannot be read or lacks a column, a value out of range, different numbers of captions and
    images, and a word that the vocabulary lacks.
    """
    part = _mode_folder(folder, mode)
    count = len(read_columns(part / LATENTS, list(IMAGE_COLUMNS))["object_shape"])
    table = read_columns(part / TEXT_LATENTS, list(TEXT_COLUMNS))
    values = {
        name: check_column(f"{part / TEXT_LATENTS}: {name}", table[name], allowed)
        for name, allowed in TEXT_COLUMNS.items()
    }
    if len(values["object_shape"]) != count:
        raise ValueError(
            f"{part / TEXT_LATENTS} has {len(values['object_shape'])} rows: allowed is {count}, as "
            f"in {LATENTS}"
        )
    path = part / "text" / "text_raw.txt"
    texts = read_texts(path, count, LATENTS)
    vocabulary = vocabulary or make_vocabulary(texts)
    return CaptionFile(texts, word_ids(str(path), texts, vocabulary), vocabulary, values)


def open_multimodal3dident(
    folder: Path | str,
    *,
    cache: Path | str | None = None,
    height: int | None = None,
    width: int | None = None,
    show: Show = silent,
) -> LabelledData:
    """Returns the images, latents and captions of all modes, with their splits.

    Each mode is decoded once, as by `read_causal3dident`, and raises as that does. Raises
    ValueError as `read_multimodal3dident_captions` does.
    """
    captions = [read_multimodal3dident_captions(folder, mode) for mode in MODES]
    size = {"cache": cache, "height": height, "width": width}
    parts = [
        read_causal3dident(
            _mode_folder(folder, mode),
            **size,
            show=lambda fraction, done=done: show((done + fraction) / len(MODES)),
        )
        for done, mode in enumerate(MODES)
    ]
    shapes = {part.images.shape[1:] for part in parts}
    if len(shapes) > 1:
        raise ValueError(
            f"{folder} has images of {shapes}: allowed is one size; give height, width"
        )
    starts = np.cumsum([0, *(len(part.images) for part in parts)])
    columns = {
        name: np.concatenate([part.latents[name] for part in parts]) for name in IMAGE_COLUMNS
    }
    return LabelledData(
        shape=shapes.pop(),
        take=partial(_take, parts, starts),
        columns=columns,
        texts=[text for part in captions for text in part.texts],
        splits=Splits(*(np.arange(*ends) for ends in itertools.pairwise(starts))),
    )


def _take(parts: list[Renders], starts, rows, show=silent) -> np.ndarray:
    """The images at ascending rows of all parts together."""
    ends = np.searchsorted(rows, starts)
    taken = [
        take_images(part.images, rows[first:last] - start)
        for part, start, first, last in zip(parts, starts[:-1], ends[:-1], ends[1:], strict=True)
    ]
    show(1.0)
    return np.concatenate(taken)


def _mode_folder(folder: Path | str, mode: str) -> Path:
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}: allowed is one of {', '.join(MODES)}")
    return Path(folder) / mode
