"""Similarities of the rows of two batches, each written as an inner product of two factors."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mmcl.output_spaces import unit

Representation = Float[Array, "n d"]


class Factors(NamedTuple):
    """Rows whose inner products ⟨left_i, right_j⟩ are the similarities of a_i and b_j.

    left:  float32 [n, k].
    right: float32 [m, k].
    """

    left: Float[Array, "n k"]
    right: Float[Array, "m k"]


Similarity = Callable[[Representation, Representation], Factors]


def negative_squared_distance(a: Float[Array, "n d"], b: Float[Array, "m d"]) -> Factors:
    """-‖a_i - b_j‖²; rows are centred first, which avoids cancellation."""
    centre = jax.lax.stop_gradient(a.mean(0))
    a, b = a - centre[None], b - centre[None]
    ones_a, ones_b = jnp.ones_like(a[:, :1]), jnp.ones_like(b[:, :1])
    left = jnp.concatenate([2 * a, -ones_a, -jnp.sum(a**2, 1, keepdims=True)], 1)
    return Factors(left, jnp.concatenate([b, jnp.sum(b**2, 1, keepdims=True), ones_b], 1))


def dot(a: Float[Array, "n d"], b: Float[Array, "m d"]) -> Factors:
    """⟨a_i, b_j⟩."""
    return Factors(a, b)


def cosine(a: Float[Array, "n d"], b: Float[Array, "m d"]) -> Factors:
    """⟨a_i, b_j⟩ / (‖a_i‖ ‖b_j‖), 0 where either row is zero."""
    return Factors(unit(a), unit(b))


SIMILARITIES: dict[str, Similarity] = {
    "negative_squared_distance": negative_squared_distance,
    "dot": dot,
    "cosine": cosine,
}
