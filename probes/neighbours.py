"""Neighbours: the nearest representations, by squared distance."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from probes.arguments import check_at_least, check_columns, check_floats
from probes.columns import centres

QUERIES = 256  # number of queries that are compared with all rows at once


@partial(jax.jit, static_argnames="count")
@jax.default_matmul_precision("float32")
def nearest(
    queries: Float[Array, "m d"], rows: Float[Array, "n d"], count: int
) -> Int[Array, "m count"]:
    """Returns the indices of the `count` rows nearest to each query, the nearest first.

    Of equally near rows the first comes first. The indices of a query with NaN are -1, those of all
    queries if the rows contain NaN.

    Raises ValueError if there are fewer rows than `count`, or different numbers of columns.
    """
    check_floats(queries=queries, rows=rows)
    check_columns(rows=rows, queries=queries)
    check_at_least(1, count=count)
    check_at_least(count, **{"number of rows": len(rows)})
    # far from the origin, differences of rows would be lost to rounding in the Gram matrix
    centre = centres(rows)
    rows = rows - centre[None]
    squares = jnp.sum(rows**2, axis=1)

    def of_query(query):
        nearness = 2 * rows @ (query - centre) - squares
        indices = jax.lax.top_k(nearness, count)[1]
        return jnp.where(jnp.isnan(nearness).any(), -1, indices)

    return jax.lax.map(of_query, queries, batch_size=QUERIES)
