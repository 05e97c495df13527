"""Writing a data set in the layout of Causal3DIdent, whole or not at all."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Shaped, UInt8
from PIL import Image

from lvm.datasets.causal3dident.reading import (
    IMAGE_COLUMNS,
    LATENTS,
    caption_columns,
    caption_table_name,
    image_name,
    text_name,
)
from lvm.files.atomic import atomic_path
from lvm.files.columns import Allowed, check_column, write_columns
from lvm.files.texts import check_texts

PER_SHOW = 256  # images

Columns = Mapping[str, Shaped[np.ndarray, " _rows"]]
Captions = tuple[Sequence[str], Columns]  # the sentences, and what they tell


def write_causal3dident(
    folder: Path | str,
    images: Iterable[UInt8[np.ndarray, "height width 3"]],
    latents: Columns,
    captions: Mapping[tuple[str, int], Captions],
    *,
    show: Callable[[float], object] = lambda share: None,
) -> None:
    """Writes images, what they show, and captions by (kind, setting) as a new folder.

    Images may be an array or made one after another; latents and what captions tell are given by
    the columns of the layout; float32 values are the same when read again. `show` hears the share
    of the images that is written. If writing stops, nothing is left that looks whole. Raises
    ValueError, with column or caption, for a folder that is there already and for whatever reading
    would refuse; OSError, with the folder, where the disk does not take it.
    """
    folder = Path(folder)
    if folder.exists():
        raise ValueError(f"{folder} is there already: allowed is a new folder")
    shown = _check_columns(folder / LATENTS, latents, IMAGE_COLUMNS, None)
    count = len(shown["object_shape"])
    told = {
        setting: _check_columns(
            folder / caption_table_name(*setting), columns, caption_columns(*setting), count
        )
        for setting, (_, columns) in captions.items()
    }
    for setting, (texts, _) in captions.items():
        check_texts(f"{folder / text_name(*setting)}", texts, count, LATENTS)
    with atomic_path(folder) as partial:
        _write_images(partial / "images", images, count, show)
        write_columns(partial / LATENTS, shown)
        for setting, (texts, _) in captions.items():
            write_columns(partial / caption_table_name(*setting), told[setting])
            path = partial / text_name(*setting)
            path.parent.mkdir(parents=True)
            path.write_text("\n".join(texts), encoding="utf-8", newline="\n")


def _check_columns(
    path: Path, columns: Columns, allowed: Mapping[str, Allowed], count: int | None
) -> dict[str, Shaped[np.ndarray, " n"]]:
    """The columns in the order of the layout; of as many rows as `count`, or as the first has."""
    if columns.keys() != allowed.keys():
        raise ValueError(
            f"{path} has columns {', '.join(columns)}: allowed are {', '.join(allowed)}"
        )
    checked = {
        name: check_column(f"{path}: {name}", columns[name], what) for name, what in allowed.items()
    }
    first, *_ = checked.values()
    rows = len(first) if count is None else count
    for name, column in checked.items():
        if len(column) != rows or not rows:
            least = f"{rows}, as in {LATENTS}" if rows else "1 or more"
            raise ValueError(f"{path}: {name} has {len(column)} rows: allowed are {least}")
    return checked


def _write_images(folder: Path, images: Iterable[np.ndarray], count: int, show: Callable) -> None:
    folder.mkdir(parents=True)
    place, shape = -1, None
    for place, image in enumerate(images):
        shape = shape or (*image.shape[:2], 3)
        if place >= count or image.shape != shape or image.dtype != np.uint8:
            raise ValueError(
                f"image {place} is {image.dtype} {image.shape}: allowed are {count} images, uint8 "
                f"{shape}"
            )
        Image.fromarray(image).save(folder / image_name(place, count))
        if (place + 1) % PER_SHOW == 0 or place + 1 == count:
            show((place + 1) / count)
    if place + 1 != count:
        raise ValueError(f"{place + 1} images were given: allowed are {count}, as in {LATENTS}")
