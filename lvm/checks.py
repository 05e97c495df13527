"""Checks: shapes, dtypes and known values of arguments, verified before anything is computed.

Traced values pass, and the compiled program does not contain the checks. All errors are ValueErrors
that name the argument.
"""

import operator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def is_traced(*values: Any) -> bool:
    """Returns whether any array in some pytrees is a tracer, whose value is not known."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values))


def known_value(value: Any) -> np.ndarray | None:
    """Returns a number or an array as a NumPy array, or None if its value is not known here."""
    if is_traced(value) or not getattr(value, "is_fully_addressable", True):
        return None
    return np.asarray(value)


def check_shape(field: str, value: Any, allowed: tuple[int | str, ...], like: str = "") -> None:
    """Raises ValueError unless the shape of `value` is `allowed`, where a str is a free size."""
    shape = jnp.shape(value)
    matching = lambda size, found: isinstance(size, str) or size == found
    if len(shape) != len(allowed) or not all(map(matching, allowed, shape)):
        sizes = ", ".join(map(str, allowed)) + ("," if len(allowed) == 1 else "")
        raise ValueError(f"{field} has shape {shape}: allowed is ({sizes}){like}")


def check_mask(field: str, mask: Any, size: int, like: str = "") -> None:
    """Raises ValueError unless `mask` is bool [size]."""
    check_shape(field, mask, (size,), like)
    if (dtype := jnp.result_type(mask)) != jnp.bool_:
        raise ValueError(f"{field} is {dtype}: allowed is bool")


def check_integers(field: str, values: Any, below: int) -> None:
    """Raises ValueError unless `values` have an integer dtype and known ones are in 0..below-1."""
    allowed = f"an integer, 0..{below - 1}"
    if not jnp.issubdtype(dtype := jnp.result_type(values), jnp.integer):
        raise ValueError(f"{field} is {dtype}: allowed is {allowed}")
    _check_range(field, values, below - 1, allowed)


def check_fractions(field: str, values: Any) -> None:
    """Raises ValueError unless all known values are between 0 and 1; NaN is not."""
    _check_range(field, values, 1, "0 to 1")


def check_probability(field: str, value: Any) -> None:
    """Raises ValueError unless `value` is one number, between 0 and 1 if it is known."""
    if isinstance(value, str) or value is None:
        raise ValueError(f"{field} is {value!r}: allowed is 0 to 1")
    check_shape(field, value, (), ", one number")
    check_fractions(field, value)


def check_count(field: str, count: Any) -> None:
    """Raises ValueError unless `count` is an integer of 1 or more."""
    try:
        number = operator.index(count)
    except TypeError as error:
        raise ValueError(f"{field} is {count}: allowed is an integer, 1 or more") from error
    if number < 1:
        raise ValueError(f"{field} is {count}: allowed is 1 or more")


def check_result(part: str, result: Any, like: Any) -> None:
    """Raises ValueError unless a part of a user's own returns a pytree of the type of `like`.

    Its leaves must have the same shapes and dtypes.
    """
    if jax.tree.structure(result) != jax.tree.structure(like):
        raise ValueError(f"{part} returns {_described(result)}: allowed is {_described(like)}")
    leaves = jax.tree_util.tree_leaves_with_path(result)
    for (path, found), allowed in zip(leaves, jax.tree.leaves(like), strict=True):
        if _described(found) != _described(allowed):
            where = f"{jax.tree_util.keystr(path).lstrip('.')} " if path else ""
            raise ValueError(
                f"{part} returns {where}{_described(found)}: allowed is {_described(allowed)}"
            )


def _described(value: Any) -> str:
    if isinstance(value, jax.Array | jax.ShapeDtypeStruct):
        return f"{value.dtype} {list(value.shape)}"
    return type(value).__name__


def _check_range(field: str, values: Any, highest: int, allowed: str) -> None:
    if (known := known_value(values)) is None:
        return
    valid = (known >= 0) & (known <= highest)  # False for NaN
    if not valid.all():
        index = tuple(map(int, np.unravel_index(np.argmin(valid), known.shape)))
        where = f" at index {', '.join(map(str, index))}" if index else ""
        raise ValueError(f"{field} is {known[index]}{where}: allowed is {allowed}")
