"""Masks: statistics of the pairs and columns that take part in an objective."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from mmcl.modalities import Modalities


def all_pairs(z: Modalities, where: Bool[Array, " n"] | None) -> Bool[Array, " n"]:
    """Returns the mask, or one in which all pairs take part if it is None: bool [n]."""
    return jnp.ones(len(z.x), bool) if where is None else where


def fill_masked(z: Modalities, where: Bool[Array, " n"]) -> Modalities:
    """Replaces rows that take no part by the mean of the others, so that they add no rounding."""

    def fill(rows):
        mean = rows.mean(0, keepdims=True, where=where[:, None] | ~where.any())
        return jnp.where(where[:, None], rows, jax.lax.stop_gradient(mean))

    return Modalities(fill(z.x), fill(z.t))


def masked_mean(values: Float[Array, " n"], where: Bool[Array, " n"]) -> Float[Array, ""]:
    """Returns the mean over pairs that take part, 0 if there are none: float32 []."""
    return jnp.sum(jnp.where(where, values, 0.0)) / jnp.maximum(where.sum(), 1)


def log_count(count: Int[Array, ""]) -> Float[Array, ""]:
    """Returns the logarithm of a number of pairs: float32 [], also where JAX_ENABLE_X64 is set."""
    return jnp.log(count.astype(jnp.float32))


def active_columns(z: Modalities, where: Bool[Array, " n"]) -> Bool[Array, " d"]:
    """Returns the columns that are not 0 in some pair that takes part, in x or t: bool [d]."""
    return ((z.x != 0) | (z.t != 0)).any(0, where=where[:, None])


def centred(rows: Float[Array, "n d"], where: Bool[Array, " n"]) -> Float[Array, "n d"]:
    """Returns deviations from the mean of the rows that take part, 0 elsewhere: float32 [n, d]."""

    def centre(rows):
        taking_part = jnp.where(where[:, None], rows, 0.0)
        mean = taking_part.sum(0, keepdims=True) / jnp.maximum(where.sum(), 1)
        return jnp.where(where[:, None], rows - mean, 0.0)

    return centre(centre(rows))  # twice, as the first mean of a distant column is rounded


def covariance(
    a: Float[Array, "n d"], b: Float[Array, "n k"], where: Bool[Array, " n"]
) -> Float[Array, "d k"]:
    """Returns the covariances of the columns of a and b, both `centred`: float32 [d, k]."""
    products = jnp.matmul(a.T, b, precision="float32")
    return products / jnp.maximum(where.sum() - 1, 1)
