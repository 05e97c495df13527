"""Numbers: checks of arguments that are one number each.

Values are read where they are known, that is, not inside `jit`, where only the shape is. A compiled
program does not contain the checks.
"""

import math
from collections.abc import Callable
from numbers import Real
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def check_number(field: str, value: Any, holds: Callable[[float], bool], allowed: str) -> None:
    """Raises ValueError, with the field and its value, for a number that does not hold.

    It is a number of Python or an array of shape () with one; all else is refused.
    """
    is_array = hasattr(value, "dtype") and hasattr(value, "shape")
    if is_array and value.shape != ():
        raise ValueError(f"{field} is {value.dtype} {list(value.shape)}: allowed is one number")
    is_real = is_array and jnp.issubdtype(jnp.promote_types(value.dtype, "f2"), jnp.floating)
    if not isinstance(value, Real) and not is_real:
        raise ValueError(f"{field} is {value!r}: allowed is {allowed}")
    if _is_known(value) and not holds(float(np.asarray(value))):
        raise ValueError(f"{field} is {value}: allowed is {allowed}")


def check_above_0(field: str, value: Any) -> None:
    """Raises ValueError for a number that is not above 0 or not finite."""
    check_number(field, value, lambda number: 0 < number < math.inf, "above 0, and finite")


def check_not_negative(field: str, value: Any) -> None:
    """Raises ValueError for a number below 0 or one that is not finite."""
    check_number(field, value, lambda number: 0 <= number < math.inf, "0 or more, and finite")


def _is_known(value: Any) -> bool:
    traced = isinstance(value, jax.core.Tracer)
    return not traced and getattr(value, "is_fully_addressable", True)
