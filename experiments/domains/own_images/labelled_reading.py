"""Labelled reading: images, labels and captions of a user's own data set, for training and test."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Int
from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import ImageSplits, LabelledImages
from experiments.domains.domain import ReportFraction
from lvm.captions.language import NO_WORD
from lvm.captions.vocabulary import UNKNOWN, caption_words, free_text_ids, frequent_words
from lvm.datasets.labelled.image_arrays import open_dsprites, open_mpi3d_shapes, open_npz_images
from lvm.datasets.labelled.image_folder import open_image_folder
from lvm.datasets.labelled.labelled_data import LabelledData
from lvm.datasets.labelled.shapes3d import open_shapes3d
from lvm.datasets.multimodal3dident import open_multimodal3dident
from lvm.datasets.splits import train_test_rows
from lvm.files.columns import check_column
from lvm.files.texts import read_texts

MULTIMODAL = "multimodal3dident"
LARGEST = float(np.finfo(np.float32).max)
Open = Callable[[ConfigDict], LabelledData]


def read_splits(
    world: ConfigDict,
    factors: tuple[lvm.Factor, ...],
    values: tuple[str, ...],
    report_fraction: ReportFraction,
) -> ImageSplits:
    """Returns the images of a config to train and to test on, with factors, values and captions.

    Raises ValueError, with the file, for images of another size, a column that is missing, a label
    out of range and different numbers of images, labels and captions.
    """
    data = _open(world)
    _check_shape(world, data)
    labels = [_column(world, data, factor.name, len(factor.values)) for factor in factors]
    numbers = [_column(world, data, name, (-LARGEST, LARGEST)) for name in values]
    count = len(labels[0])
    label_table = np.stack(labels, axis=1)
    number_table = np.stack(numbers, axis=1) if numbers else np.zeros((count, 0), np.float32)
    ids = _caption_ids(world, data, count)

    def select(rows, report_fraction):
        captions = None if ids is None else ids[rows]
        images = data.take(rows, report_fraction)
        return LabelledImages(images, label_table[rows], number_table[rows], captions)

    train_rows, test_rows = _rows(world, data, count)
    for split, rows in {"train": train_rows, "test": test_rows}.items():
        _check_varied(split, factors, label_table[rows])
    return ImageSplits(
        select(train_rows, report_fraction), select(test_rows, lambda fraction: None)
    )


def read_vocabulary(world: ConfigDict) -> tuple[str, ...]:
    """Returns the words by id of free captions: the most frequent ones of the training captions."""
    data = _open(world)
    count = len(next(iter(data.columns.values())))
    return _vocabulary(world, data, _texts(world, data, count))


def has_free_captions(world: ConfigDict) -> bool:
    """Returns whether captions are read rather than generated."""
    return world.caption_file is not None or world.layout == MULTIMODAL


def _open(world: ConfigDict) -> LabelledData:
    return LAYOUTS[world.layout](world)


def _open_npz(world: ConfigDict) -> LabelledData:
    return open_npz_images(
        world.data,
        names=_column_names(world),
        labels=world.label_file,
        cache=world.cache,
    )


def _open_folder(world: ConfigDict) -> LabelledData:
    return open_image_folder(
        world.data,
        names=_column_names(world),
        labels=world.label_file,
        **_size(world),
        cache=world.cache,
    )


def _open_multimodal(world: ConfigDict) -> LabelledData:
    return open_multimodal3dident(world.data, **_size(world), cache=world.cache)


LAYOUTS: dict[str, Open] = {
    "npz": _open_npz,
    "folder": _open_folder,
    "dsprites": lambda world: open_dsprites(world.data, cache=world.cache),
    "shapes3d": lambda world: open_shapes3d(world.data),
    "mpi3d": lambda world: open_mpi3d_shapes(world.data, cache=world.cache),
    MULTIMODAL: _open_multimodal,
}


def _column_names(world: ConfigDict) -> tuple[str, ...]:
    return tuple(world.columns) or (*(name for name, _ in world.factors), *world.numbers)


def _size(world: ConfigDict) -> dict[str, int | None]:
    """The size that image files are resized to, if any."""
    return {
        "height": world.height if world.resize else None,
        "width": world.width if world.resize else None,
    }


def _check_shape(world: ConfigDict, data: LabelledData) -> None:
    shape = (world.height, world.width, world.channels)
    if shape != data.shape:
        raise ValueError(
            f"world.height, world.width and world.channels are {shape}: allowed is {data.shape}, "
            f"as in {world.data}; world.resize=True resizes image files"
        )


def _column(world: ConfigDict, data: LabelledData, name: str, allowed) -> np.ndarray:
    where = f"{world.label_file or world.data}"
    if name not in data.columns:
        raise ValueError(
            f"{where} has no column {name}: its columns are {', '.join(data.columns) or 'none'}"
        )
    return check_column(f"{where}: {name}", data.columns[name], allowed)


def _rows(world: ConfigDict, data: LabelledData, count: int):
    try:
        return train_test_rows(
            count,
            test_share=world.test_share,
            seed=world.seed,
            images=world.images,
            splits=data.splits,
        )
    except ValueError as error:
        raise ValueError(f"world.{error}") from None


def _check_varied(
    split: str, factors: tuple[lvm.Factor, ...], labels: Int[np.ndarray, "n factors"]
) -> None:
    for factor, column in zip(factors, labels.T, strict=True):
        if column.min() == column.max():
            raise ValueError(
                f"the {split} split has {factor.name} {factor.values[column[0]]!r} only: allowed "
                "are two values or more; take more images or another world.seed"
            )


def _caption_ids(
    world: ConfigDict, data: LabelledData, count: int
) -> Int[np.ndarray, "n length"] | None:
    """The token ids of free captions; None if captions are generated."""
    if not has_free_captions(world):
        return None
    texts = _texts(world, data, count)
    words = _vocabulary(world, data, texts)
    where = world.caption_file or world.data
    ids = free_text_ids(where, texts, words, world.length)
    longer = sum(len(caption_words(text)) > world.length for text in texts)
    print(
        f"captions of {where} are not rewritten: every factor is scored, and attainable are scores "
        "of captions that mention all factors and distort none; "
        f"{longer} captions are cut after {world.length} words, "
        f"{np.mean(ids[ids != NO_WORD] == UNKNOWN):.1%} of their words are unknown"
    )
    return ids


def _texts(world: ConfigDict, data: LabelledData, count: int):
    if world.caption_file is None:
        return data.texts
    return read_texts(Path(world.caption_file), count, str(world.data))


def _vocabulary(world: ConfigDict, data: LabelledData, texts) -> tuple[str, ...]:
    train_rows, _ = _rows(world, data, len(texts))
    return frequent_words([texts[row] for row in train_rows], world.vocabulary)
