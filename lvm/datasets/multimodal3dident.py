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
    image_paths,
    read_latents,
)
from lvm.datasets.labelled.labelled_data import LabelledData, Show, take_converted
from lvm.datasets.splits import Splits
from lvm.files.columns import Allowed, check_column, read_columns
from lvm.files.images import check_size, decode_file, open_decoded
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
) -> LabelledData:
    """Returns the images, resized if height and width are given, latents and captions of all modes.

    Images of a mode are decoded into an npy file in its folder or in `cache` when they are first
    taken, which raises as `open_decoded` does. Raises ValueError as
    `read_multimodal3dident_captions` and `read_causal3dident` do.
    """
    check_size(height, width)
    size = {"height": height, "width": width}
    parts = [_mode_folder(folder, mode) for mode in MODES]
    latents = [read_latents(part) for part in parts]
    captions = [read_multimodal3dident_captions(folder, mode) for mode in MODES]
    counts = [len(of_mode["object_shape"]) for of_mode in latents]
    paths = [image_paths(part, count) for part, count in zip(parts, counts, strict=True)]
    starts = np.cumsum([0, *counts])

    def take(rows, show=lambda fraction: None):
        ends = np.searchsorted(rows, starts)
        taken = []
        for index, (part, of_mode) in enumerate(zip(parts, paths, strict=True)):
            open_images = partial(_open_images, of_mode, part, cache, size)
            rows_of_mode = rows[ends[index] : ends[index + 1]] - starts[index]
            of_all = lambda fraction, index=index: show((index + fraction) / len(MODES))
            taken.append(take_converted(open_images, rows_of_mode, of_all))
        return np.concatenate(taken)

    return LabelledData(
        shape=decode_file(paths[0][0], **size).shape,
        take=take,
        columns={name: np.concatenate([part[name] for part in latents]) for name in IMAGE_COLUMNS},
        texts=[text for part in captions for text in part.texts],
        splits=Splits(*(np.arange(*ends) for ends in itertools.pairwise(starts))),
    )


def _open_images(paths, folder: Path, cache, size, show: Show):
    return open_decoded(paths, folder, cache=cache, **size, show=show)


def _mode_folder(folder: Path | str, mode: str) -> Path:
    if mode not in MODES:
        raise ValueError(f"mode is {mode!r}: allowed is one of {', '.join(MODES)}")
    return Path(folder) / mode
