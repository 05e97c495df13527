"""Reading: rendered scenes with captions, in the folder layout of Causal3DIdent.

latents_image.csv                       latents of the images, one row per image
images/{i:0Wd}.png                      W = ceil(log10 N) of N images
latents_text_{kind}_{setting}.csv       caption values, by kind of bias and setting 0 to 6
text/{kind}_{setting}/text_raw.txt      captions, one per line, no newline after the last

Kinds are "selections", where captions of setting k mention the first k + 1 semantics, and
"perturbations", where captions mention all semantics and distort the last 6 - k. Images are in the
order of their splits: see `file_order_splits`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8

from lvm.files.columns import Allowed, check_column, read_columns
from lvm.files.images import check_size, open_decoded
from lvm.files.texts import CaptionFile, make_vocabulary, read_texts, word_ids

UNIT = (0.0, 1.0)
IMAGE_COLUMNS = {  # allowed values, as in `check_column`
    "object_shape": 7,
    "object_xpos": 3,
    "object_ypos": 3,
    "object_zpos": (-1e9, 1e9),
    "object_alpharot": UNIT,
    "object_betarot": UNIT,
    "object_gammarot": UNIT,
    "object_color": UNIT,
    "spotlight_pos": UNIT,
    "spotlight_color": UNIT,
    "background_color": UNIT,
}
TEXT_COLUMNS = (  # by semantic, in the order of selection; the misspelling is the authors'
    {"object_shape": 7},
    {"object_xpos": 3},
    {"object_ypos": 3},
    {"spotlight_pos": UNIT},
    {"object_color_name": None, "object_color_index": 10},  # in matplotlib's colour tables
    {"splotlight_color_name": None, "splotlight_color_index": 148},
    {"background_color_name": None, "background_color_index": 949},
)
PHRASING = {"text_phrasing": 5}
KINDS = ("selections", "perturbations")
LATENTS = "latents_image.csv"


class Renders(NamedTuple):
    """Rendered images and their latents.

    images:  uint8 [n, height, width, 3], mapped from disk.
    latents: float32 [n] by column.
    """

    images: UInt8[np.ndarray, "n height width 3"]
    latents: dict[str, Float[np.ndarray, " n"]]


def caption_columns(kind: str, setting: int) -> dict[str, Allowed]:
    """Returns the columns of caption values and their allowed values, as in `check_column`.

    Raises ValueError for an unknown kind or setting.
    """
    if kind not in KINDS or not 0 <= setting < len(TEXT_COLUMNS):
        raise ValueError(
            f"kind and setting are {kind} and {setting}: allowed are {' or '.join(KINDS)}, and 0..6"
        )
    mentioned = TEXT_COLUMNS[: setting + 1] if kind == "selections" else TEXT_COLUMNS
    return {
        name: allowed for columns in (*mentioned, PHRASING) for name, allowed in columns.items()
    }


def image_name(index: int, count: int) -> str:
    """Returns the file name of the image at an index, from 0, among `count`."""
    return f"{index:0{len(str(count - 1))}d}.png"


def caption_table_name(kind: str, setting: int) -> str:
    """Returns the path, within the folder, of the table of caption values."""
    return f"latents_text_{kind}_{setting}.csv"


def text_name(kind: str, setting: int) -> str:
    """Returns the path, within the folder, of the captions."""
    return f"text/{kind}_{setting}/text_raw.txt"


def read_causal3dident(
    folder: Path | str,
    *,
    height: int | None = None,
    width: int | None = None,
    cache: Path | str | None = None,
    show: Callable[[float], object] = lambda fraction: None,
) -> Renders:
    """Returns all images, resized if height and width are given, and their latents.

    The first call for a size decodes the images into one npy file, in the folder `cache` or in that
    of the data, and calls `show` with the fraction that has been decoded. Later calls open that
    file unless an image is newer. Raises ValueError, with file and column, for latents that cannot
    be read, are missing, NaN or out of range, for different numbers of images and rows, and for an
    image that is missing, does not decode or differs in size from the first; OSError, without
    partial output, if the disk refuses the npy file.
    """
    check_size(height, width)
    folder = Path(folder)
    latents = read_latents(folder)
    count = len(latents["object_shape"])
    paths = image_paths(folder, count)
    images = open_decoded(paths, folder, cache=cache, height=height, width=width, show=show)
    return Renders(images, latents)


def read_latents(folder: Path | str) -> dict[str, Float[np.ndarray, " n"]]:
    """Returns the latents of the images, float32 [n] by column.

    Raises ValueError as `read_causal3dident` does.
    """
    path = Path(folder) / LATENTS
    columns = read_columns(path, list(IMAGE_COLUMNS))
    if not columns["object_shape"]:
        raise ValueError(f"{path} has 0 rows: allowed is 1 or more")
    return {
        name: check_column(f"{path}: {name}", columns[name], allowed).astype(np.float32)
        for name, allowed in IMAGE_COLUMNS.items()
    }


def read_causal3dident_captions(
    folder: Path | str, kind: str, setting: int, vocabulary: tuple[str, ...] | None = None
) -> CaptionFile:
    """Returns the captions of a kind of bias under a setting, and their values by column.

    The vocabulary is that of the captions unless one is given. Raises ValueError, with file and
    column or caption, for an unknown setting, a file that cannot be read or lacks a column, a value
    that is NaN or out of range, different numbers of captions and images, and a word that the
    vocabulary lacks.
    """
    folder, columns = Path(folder), caption_columns(kind, setting)
    count = len(read_columns(folder / LATENTS, list(IMAGE_COLUMNS))["object_shape"])
    path, text_path = folder / caption_table_name(kind, setting), folder / text_name(kind, setting)
    table = read_columns(path, list(columns))
    values = {
        name: check_column(f"{path}: {name}", table[name], allowed)
        for name, allowed in columns.items()
    }
    if len(values["text_phrasing"]) != count:
        raise ValueError(
            f"{path} has {len(values['text_phrasing'])} rows: allowed is {count}, as in {LATENTS}"
        )
    texts = read_texts(text_path, count, LATENTS)
    vocabulary = vocabulary or make_vocabulary(texts)
    return CaptionFile(texts, word_ids(str(text_path), texts, vocabulary), vocabulary, values)


def image_paths(folder: Path, count: int) -> list[Path]:
    """Returns the paths of the images of a data set.

    Raises ValueError for an image that is missing and for another number of images.
    """
    folder = folder / "images"
    paths = [folder / image_name(index, count) for index in range(count)]
    if not folder.is_dir():
        raise ValueError(f"{folder} does not exist: allowed is a folder of images")
    found = {path.name for path in folder.glob("*.png")}
    for path in paths:
        if path.name not in found:
            raise ValueError(f"{path} is missing: {LATENTS} has {len(paths)} rows")
    if len(found) != len(paths):
        raise ValueError(
            f"{folder} holds {len(found)} images: allowed is {len(paths)}, one per row of {LATENTS}"
        )
    return paths
