"""Arguments: checks of shapes and dtypes when a function is traced, with the names of arguments.

They read no values, so a compiled program does not contain them. Each raises ValueError.
"""

from numbers import Integral
from typing import Any

import jax
import jax.numpy as jnp

AXES = {1: "[n]", 2: "[n, d]", 3: "[r, n, d]"}


def check_floats(ndim: int = 2, **arrays: jax.Array) -> None:
    """Raises ValueError unless arrays have `ndim` axes and a floating-point dtype."""
    for name, array in arrays.items():
        _check_axes(name, array, ndim)
        if not jnp.issubdtype(array.dtype, jnp.floating):
            raise ValueError(f"dtype of {name} is {array.dtype}: allowed is a floating-point dtype")


def check_labels(ndim: int = 1, **arrays: jax.Array) -> None:
    """Raises ValueError unless arrays have `ndim` axes and an integer dtype or bool."""
    for name, array in arrays.items():
        _check_axes(name, array, ndim)
        if not (jnp.issubdtype(array.dtype, jnp.integer) or array.dtype == jnp.bool_):
            raise ValueError(f"dtype of {name} is {array.dtype}: allowed is an integer dtype, bool")


def check_rows(axis: int = 0, **arrays: jax.Array) -> None:
    """Raises ValueError unless arrays have equally many rows, on `axis`, and at least one."""
    (first, array), *others = arrays.items()
    check_at_least(1, **{f"number of rows of {first}": array.shape[axis]})
    _check_equal_sizes("rows", axis, (first, array), others)


def check_columns(**arrays: jax.Array) -> None:
    """Raises ValueError unless arrays have equally many columns, on their last axis."""
    first, *others = arrays.items()
    _check_equal_sizes("columns", -1, first, others)


def check_splits(ndim: int = 2, **splits: Any) -> None:
    """Raises ValueError unless splits hold floats [..., n, d], of n rows in `fit` and m in `test`.

    The two parts of a split must have equally many columns.
    """
    for part in ("fit", "test"):
        arrays = {f"{name}.{part}": getattr(split, part) for name, split in splits.items()}
        check_floats(ndim, **arrays)
        check_rows(ndim - 2, **arrays)
    for name, split in splits.items():
        check_columns(**{f"{name}.fit": split.fit, f"{name}.test": split.test})


def check_mask(count: int, **masks: jax.Array) -> None:
    """Raises ValueError unless masks are bool of shape [count]."""
    for name, mask in masks.items():
        if mask.dtype != jnp.bool_:
            raise ValueError(f"dtype of {name} is {mask.dtype}: allowed is bool")
        if mask.shape != (count,):
            raise ValueError(f"shape of {name} is {mask.shape}: allowed is ({count},)")


def check_at_least(least: int, **numbers: int) -> None:
    """Raises ValueError for a number below `least`."""
    for name, number in numbers.items():
        if not isinstance(number, Integral):
            raise ValueError(f"{name} is {number}: allowed is an integer, {least} or more")
        if number < least:
            raise ValueError(f"{name} is {number}: allowed is {least} or more")


def _check_axes(name, array, ndim):
    if not hasattr(array, "ndim"):
        raise ValueError(f"{name} is {type(array).__name__}: allowed is an array {AXES[ndim]}")
    if array.ndim != ndim:
        raise ValueError(f"shape of {name} is {array.shape}: allowed is {AXES[ndim]}")


def _check_equal_sizes(noun, axis, first, others):
    first_name, size = first[0], first[1].shape[axis]
    for name, array in others:
        if array.shape[axis] != size:
            raise ValueError(
                f"number of {noun} of {name} is {array.shape[axis]}: "
                f"allowed is {size}, as in {first_name}"
            )
