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
