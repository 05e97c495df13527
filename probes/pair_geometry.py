"""Pair geometry: modality gap, alignment and uniformity of representations of pairs.

Row i of x and row i of t are the representations of pair i. The scores of rows of arbitrary scale
cannot be compared: `comparable` maps rows to the scale of rows on the unit sphere first.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from probes.arguments import check_columns, check_floats, check_mask, check_rows
from probes.columns import at_unit_magnitude, centre

DISTANCE, COSINE, DOT = SIMILARITIES = ("negative_squared_distance", "cosine", "dot")
KERNEL_SCALE = 2.0  # t of the uniformity, as in its source
ROWS = 256  # number of rows that are compared with all others at once


@partial(jax.jit, static_argnames="similarity")
def comparable(
    x: Float[Array, "n d"],
    t: Float[Array, "n d"],
    similarity: str = DISTANCE,
    columns: Bool[Array, " d"] | None = None,
) -> tuple[Float[Array, "n d"], Float[Array, "n d"]]:
    """Returns both representations in the space of a similarity, float32 [n, d] each.

    cosine: every row is divided by its norm; a row of zeros stays zero.
    negative_squared_distance: rows are centred at the mean of both modalities and divided by the
            root mean squared norm of both, so that the mean squared norm is 1.
    dot:    the same without centring, as a shift changes dot products.

    The most similar row stays the most similar one, and squared distances are between 0 and 4 in
    the mean over pairs, as on the sphere. Equal rows of both modalities become 0 (by distance).

    columns: those that take part; the others, whatever they contain, become 0. None for all.
    """
    check_pairs(x=x, t=t)
    if similarity not in SIMILARITIES:
        allowed = ", ".join(SIMILARITIES)
        raise ValueError(f"similarity is {similarity!r}: allowed is one of {allowed}")
    both = jnp.concatenate([x, t])
    if columns is not None:
        check_mask(x.shape[1], columns=columns)
        both = jnp.where(columns[None], both, 0.0)
    both = _unit_rows(both) if similarity == COSINE else _unit_spread(both, similarity)
    return both[: len(x)], both[len(x) :]


@jax.jit
def modality_gap(x: Float[Array, "n d"], t: Float[Array, "n d"]) -> Float[Array, ""]:
    """Returns the distance of the mean rows of both modalities: float32 [].

    Of `comparable` rows it is from 0 to 2 (Liang et al. 2022, arXiv 2203.02053, for unit rows).
    """
    check_pairs(x=x, t=t)
    difference = (x - t).mean(0)
    return jnp.sqrt(jnp.sum(difference**2))


@jax.jit
def alignment(x: Float[Array, "n d"], t: Float[Array, "n d"]) -> Float[Array, ""]:
    """Returns the mean squared distance of the rows of a pair: float32 [].

    Of `comparable` rows it is from 0 to 4, and about 2 if the modalities are independent and have
    equal means of 0 (Wang and Isola 2020, arXiv 2005.10242, α = 2, for unit rows).
    """
    check_pairs(x=x, t=t)
    return jnp.mean(jnp.sum((x - t) ** 2, axis=1))


@jax.jit
def uniformity(rows: Float[Array, "n d"]) -> Float[Array, ""]:
    """Returns log mean_{i≠j} exp(-2 ‖row_i - row_j‖²): float32 [].

    It is 0 for equal rows, and for a single row; lower is more uniform (Wang and Isola 2020, arXiv
    2005.10242, t = 2, for unit rows of one modality).
    """
    check_floats(rows=rows)
    check_rows(rows=rows)
    count = len(rows)
    if count == 1:
        return jnp.where(jnp.isnan(rows).any(), jnp.nan, 0.0)

    def of_row(one):
        index, row = one
        # differences, as Gram matrices lose the digits of near rows
        exponents = -KERNEL_SCALE * jnp.sum((rows - row[None]) ** 2, axis=1)
        return jax.nn.logsumexp(jnp.where(jnp.arange(count) == index, -jnp.inf, exponents))

    sums = jax.lax.map(of_row, (jnp.arange(count), rows), batch_size=ROWS)
    return jax.nn.logsumexp(sums) - jnp.log(jnp.float32(count) * (count - 1))


def check_pairs(**pairs: Float[Array, "n d"]) -> None:
    """Raises ValueError unless both arrays hold floats, and equally many rows and columns."""
    check_floats(**pairs)
    check_rows(**pairs)
    check_columns(**pairs)


def _unit_rows(rows: Float[Array, "m d"]) -> Float[Array, "m d"]:
    largest = jnp.abs(rows).max(1, keepdims=True)
    rows = rows / jnp.where(largest == 0, 1.0, largest)  # squares neither overflow nor underflow
    norm2 = jnp.sum(rows**2, axis=1, keepdims=True)
    return rows / jnp.sqrt(jnp.where(norm2 == 0, 1.0, norm2))


def _unit_spread(rows: Float[Array, "m d"], similarity: str) -> Float[Array, "m d"]:
    rows = at_unit_magnitude(centre(rows) if similarity == DISTANCE else rows)
    spread = jnp.sqrt(jnp.mean(jnp.sum(rows**2, axis=1)))
    return rows / jnp.where(spread == 0, 1.0, spread)
