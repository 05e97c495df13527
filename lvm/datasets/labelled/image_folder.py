"""Image folder: images in files, with a table of labels.

images/       images, JPEG or PNG, in the order of their names
labels.csv    one row per image, a column per factor; a column `file` names the images, which may
              then be in any order
"""

from pathlib import Path

import numpy as np
from jaxtyping import Int

from lvm.datasets.labelled.labelled_data import (
    LabelledData,
    check_lengths,
    read_labels,
    take_converted,
)
from lvm.files.images import check_size, decode_file, open_decoded

TABLE = "labels.csv"
FILE_COLUMN = "file"
SUFFIXES = (".jpg", ".jpeg", ".png")


def open_image_folder(
    folder: Path | str,
    *,
    names: tuple[str, ...] = (),
    labels: Path | str | None = None,
    cache: Path | str | None = None,
    height: int | None = None,
    width: int | None = None,
) -> LabelledData:
    """Returns the images of a folder, resized if height and width are given, and their labels.

    names:  of the columns of `latents_classes`, if labels are in an npz file.
    labels: the file of labels, CSV or npz; None for `labels.csv` in the folder.

    Images are decoded into an npy file in the folder or in `cache` when they are first taken, which
    raises as `open_decoded` does. Raises ValueError, with the file, for a folder without images,
    labels that cannot be read, and different numbers of images and labels.
    """
    check_size(height, width)
    folder = Path(folder)
    table = Path(labels or folder / TABLE)
    columns = read_labels(table, names)
    paths = _image_paths(folder / "images")
    check_lengths(str(folder / "images"), len(paths), str(table), columns)
    order = _order(table, columns.pop(FILE_COLUMN, None), paths)
    size = {"height": height, "width": width}
    open_images = lambda show: open_decoded(paths, folder, cache=cache, **size, show=show)

    def take(rows, show=lambda fraction: None):
        return take_converted(open_images, order[rows], show)

    return LabelledData(decode_file(paths[0], **size).shape, take, columns)


def _image_paths(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder} does not exist: allowed is a folder of images")
    found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    paths = sorted(path for path in found if not path.name.startswith("."))
    if not paths:
        raise ValueError(f"{folder} holds no image: allowed are {', '.join(SUFFIXES)}")
    return paths


def _order(table: Path, files, paths: list[Path]) -> Int[np.ndarray, " n"]:
    """Returns the index of the image of each row of the labels."""
    if files is None:
        return np.arange(len(paths))
    index_by_name = {path.name: index for index, path in enumerate(paths)}
    for row, name in enumerate(files):
        if name not in index_by_name:
            raise ValueError(
                f"{table}: {FILE_COLUMN} is {name} in row {row}: allowed is a name of an image in "
                f"{paths[0].parent}"
            )
    order = np.array([index_by_name[name] for name in files])
    if len(set(order)) < len(order):
        raise ValueError(f"{table}: {FILE_COLUMN} has a name twice: allowed is once")
    return order
