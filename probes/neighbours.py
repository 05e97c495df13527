"""Neighbours: the nearest representations, by squared distance."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

QUERIES = 256  # number of queries that are compared with all rows at once


@jax.default_matmul_precision("float32")
def nearest(
    queries: Float[Array, "m d"], rows: Float[Array, "n d"], count: int
) -> Int[Array, "m count"]:
    """Returns the indices of the `count` rows nearest to each query, the nearest first.

    Of equally near rows the first comes first.

    Raises ValueError if there are fewer rows than `count`.
    """
    # far from the origin, differences of rows would be lost to rounding in the Gram matrix
    centre = rows.mean(0)
    rows = rows - centre[None]
    squares = jnp.sum(rows**2, axis=1)

    def of_query(query):
        return jax.lax.top_k(2 * rows @ (query - centre) - squares, count)[1]

    return jax.lax.map(of_query, queries, batch_size=QUERIES)
