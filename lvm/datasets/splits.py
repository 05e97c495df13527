"""Splits: which images are to train on, which to choose by and which to test on."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int


class Splits(NamedTuple):
    """Rows of a data set, from 0, ascending: int64 each."""

    train: Int[np.ndarray, " train"]
    val: Int[np.ndarray, " val"]
    test: Int[np.ndarray, " test"]


def file_order_splits(count: int) -> Splits:
    """The first eight tenths of some rows, the ninth and the last."""
    return Splits(*np.split(np.arange(count), [count * 8 // 10, count * 9 // 10]))


def drawn_splits(total: int, count: int, seed: int) -> Splits:
    """`count` of `total` rows, drawn by a seed: a twentieth for val, as many for test, the rest.

    Raises ValueError for a count that leaves a split without a row, or that is too large.
    """
    held = count // 20
    if held < 1 or count > total:
        raise ValueError(f"images is {count}: allowed is 20..{total}")
    drawn = np.random.default_rng(seed).permutation(total)[:count]
    return Splits(*map(np.sort, np.split(drawn, [count - 2 * held, count - held])))
