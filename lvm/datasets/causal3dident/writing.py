"""Writing: a data set in the layout of Causal3DIdent, written atomically."""

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

IMAGES_PER_SHOW = 256

Columns = Mapping[str, Shaped[np.ndarray, " _rows"]]
Captions = tuple[Sequence[str], Columns]  # the sentences, and their values by column


def write_causal3dident(
    folder: Path | str,
    images: Iterable[UInt8[np.ndarray, "height width 3"]],
    latents: Columns,
    captions: Mapping[tuple[str, int], Captions],
    *,
    show: Callable[[float], object] = lambda fraction: None,
) -> None:
    """Writes images, their latents, and captions by (kind, setting) to a new folder.

    Images may be an array or an iterator; latents and caption values are given by the columns of
    the layout, and float32 values round-trip exactly. `show` is called with the fraction of the
    images that has been written. An interrupted write leaves no partial output. Raises ValueError,
    with column or caption, for a folder that exists and for values that reading would refuse;
    OSError, with the folder, if the disk refuses the write.
    """
    folder = Path(folder)
    if folder.exists():
        raise ValueError(f"{folder} already exists: allowed is a new folder")
    image_columns = _check_columns(folder / LATENTS, latents, IMAGE_COLUMNS, None)
    count = len(image_columns["object_shape"])
    caption_values = {
        setting: _check_columns(
            folder / caption_table_name(*setting), columns, caption_columns(*setting), count
        )
        for setting, (_, columns) in captions.items()
    }
    for setting, (texts, _) in captions.items():
        check_texts(f"{folder / text_name(*setting)}", texts, count, LATENTS)
    with atomic_path(folder) as partial:
        _write_images(partial / "images", images, count, show)
        write_columns(partial / LATENTS, image_columns)
        for setting, (texts, _) in captions.items():
            write_columns(partial / caption_table_name(*setting), caption_values[setting])
            path = partial / text_name(*setting)
            path.parent.mkdir(parents=True)
            path.write_text("\n".join(texts), encoding="utf-8", newline="\n")


def _check_columns(
    path: Path, columns: Columns, allowed: Mapping[str, Allowed], count: int | None
) -> dict[str, Shaped[np.ndarray, " n"]]:
    """Returns checked columns in the order of the layout.

    Each must have `count` rows, or, if that is None, as many as the first.
    """
    if columns.keys() != allowed.keys():
        raise ValueError(
            f"{path} has columns {', '.join(columns)}: allowed are {', '.join(allowed)}"
        )
    checked = {
        name: check_column(f"{path}: {name}", columns[name], values)
        for name, values in allowed.items()
    }
    first, *_ = checked.values()
    rows = len(first) if count is None else count
    for name, column in checked.items():
        if len(column) != rows or not rows:
            expected = f"{rows}, as in {LATENTS}" if rows else "1 or more"
            raise ValueError(f"{path}: {name} has {len(column)} rows: allowed is {expected}")
    return checked


def _write_images(folder: Path, images: Iterable[np.ndarray], count: int, show: Callable) -> None:
    folder.mkdir(parents=True)
    written, shape = 0, None
    for index, image in enumerate(images):
        shape = shape or (*image.shape[:2], 3)
        if index >= count or image.shape != shape or image.dtype != np.uint8:
            raise ValueError(
                f"image {index} is {image.dtype} {image.shape}: allowed are {count} images, uint8 "
                f"{shape}"
            )
        Image.fromarray(image).save(folder / image_name(index, count))
        written = index + 1
        if written % IMAGES_PER_SHOW == 0 or written == count:
            show(written / count)
    if written != count:
        raise ValueError(f"{written} images were given: allowed is {count}, as in {LATENTS}")
