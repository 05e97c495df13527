"""Categories: which rows belong together, and for each row another one of the same category."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Int


def number_categories(
    values: Int[Array, "rows k"] | Bool[Array, "rows k"],
) -> Int[Array, " rows"]:
    """Returns the category of each row, the same number for equal rows alone: int32 [rows]."""
    order = jnp.lexsort(values.T)
    ordered = values[order]
    differs = jnp.any(ordered[1:] != ordered[:-1], axis=1)
    numbers = jnp.pad(jnp.cumsum(differs, dtype=jnp.int32), (1, 0))
    return jnp.zeros_like(numbers).at[order].set(numbers)


def match_categories(
    categories: Int[Array, " rows"], others: Int[Array, " others"]
) -> tuple[Int[Array, " rows"], Bool[Array, " rows"]]:
    """Returns for each row the index of another of the same category, and whether there is one.

    categories: of the rows; others: of the other rows; numbers from one `number_categories`.

    The k-th row of a category gets the k-th other row of that category, again from the first when
    these run out. The choice depends on no value within a category. Therefore, if rows and others
    are independent samples of one law, a row and its match are independent given the category, and
    of the same conditional law.
    """
    in_order = jnp.argsort(others)
    first, end = (
        jnp.searchsorted(others[in_order], categories, side) for side in ("left", "right")
    )
    available = end - first
    index = first + _rank_within(categories) % jnp.maximum(available, 1)
    return in_order.at[index].get(mode="clip"), available > 0


def _rank_within(categories: Int[Array, " rows"]) -> Int[Array, " rows"]:
    """The number of earlier rows of the same category."""
    order = jnp.argsort(categories)
    ordered = categories[order]
    rank = jnp.arange(len(order)) - jnp.searchsorted(ordered, ordered)
    return jnp.zeros_like(rank).at[order].set(rank)
