"""Splits: rows of a data set for training, validation and test."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int


class Splits(NamedTuple):
    """Rows of a data set, from 0, ascending; int64 each."""

    train: Int[np.ndarray, " train"]
    val: Int[np.ndarray, " val"]
    test: Int[np.ndarray, " test"]


def file_order_splits(count: int) -> Splits:
    """Returns splits of rows in file order: the first 80% for train, 10% for val, 10% for test."""
    return Splits(*np.split(np.arange(count), [count * 8 // 10, count * 9 // 10]))


def drawn_splits(total: int, count: int, seed: int) -> Splits:
    """Returns `count` of `total` rows drawn with a seed: 5% for val, 5% for test, 90% for train.

    Raises ValueError for a count that leaves a split without a row, or that exceeds `total`.
    """
    held_out = count // 20
    if held_out < 1 or count > total:
        raise ValueError(f"images is {count}: allowed is 20..{total}")
    drawn = np.random.default_rng(seed).permutation(total)[:count]
    return Splits(*map(np.sort, np.split(drawn, [count - 2 * held_out, count - held_out])))


def train_test_rows(
    count: int,
    *,
    test_share: float,
    seed: int,
    images: int | None = None,
    splits: Splits | None = None,
) -> tuple[Int[np.ndarray, " train"], Int[np.ndarray, " test"]]:
    """Returns rows to train on and rows to test on, ascending: of `images` rows, or of all.

    The rows are drawn with a seed. A fraction `test_share` of them is for tests; if the data set
    has `splits`, its training and test rows keep their purpose.

    Raises ValueError for more images than there are and if there would be fewer than two rows for
    either purpose.
    """
    pool = np.arange(count) if splits is None else np.concatenate([splits.train, splits.test])
    size = len(pool) if images is None else images
    if size > len(pool):
        raise ValueError(f"images is {size}: allowed is {len(pool)} at most")
    drawn = np.random.default_rng(seed).permutation(pool)[:size]
    if splits is None:
        test = np.arange(size) < round(test_share * size)
    else:
        test = np.isin(drawn, splits.test)
    train_rows, test_rows = np.sort(drawn[~test]), np.sort(drawn[test])
    if min(len(train_rows), len(test_rows)) < 2:
        raise ValueError(
            f"images is {size}, of which {len(test_rows)} are for tests: allowed are two or more "
            "to train and to test on; take more images or another test_share"
        )
    return train_rows, test_rows
