"""Columns: centring and scaling of the columns of an array in float32.

A column is constant if its values differ by rounding alone: its range is at most `ROUNDING` of its
largest magnitude. Other columns do not matter. A column that contains NaN is not constant, so NaN
propagates to every score of the column.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

ROUNDING = 2.4e-7  # two units of float32's relative precision


def varying(rows: Float[Array, "n d"]) -> Bool[Array, " d"]:
    """Returns whether each column is not constant: bool [d]; it is so for a column with NaN."""
    low, high = rows.min(0), rows.max(0)
    bound = ROUNDING * jnp.maximum(jnp.abs(low), jnp.abs(high))
    constant = (high - low <= bound) & (high - low < jnp.inf)
    # on CPUs the smallest and the largest of many numbers can be without NaN among them
    return ~constant | jnp.isnan(rows).any(0)


def centres(rows: Float[Array, "n d"]) -> Float[Array, " d"]:
    """Returns the means of the columns: float32 [d], to the precision of their values.

    The sum of many values far from 0 has a large rounding error; that of their differences from an
    approximate mean has not.
    """
    approximate = rows.mean(0)
    return approximate + (rows - approximate[None]).mean(0)


def centre(rows: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Returns the rows with the columns at mean 0, constant ones exactly: float32 [n, d]."""
    near = rows - rows.mean(0)[None]
    return jnp.where(varying(rows)[None], near - near.mean(0)[None], 0.0)


def deviations(rows: Float[Array, "n d"]) -> Float[Array, " d"]:
    """Returns the standard deviations of the columns, 0 if constant: float32 [d].

    Squares neither overflow nor underflow, as they are taken relative to the largest difference
    from the mean.
    """
    rows = centre(rows)
    largest = jnp.abs(rows).max(0)
    relative = rows / jnp.where(largest == 0, 1.0, largest)[None]
    return largest * jnp.sqrt(jnp.mean(relative**2, axis=0))


def at_unit_magnitude(rows: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Returns the rows over the largest magnitude of all of them, 0 if all are 0: float32 [n, d].

    Products of the result neither overflow nor underflow.
    """
    largest = jnp.abs(rows).max()
    return rows / jnp.where(largest == 0, 1.0, largest)
