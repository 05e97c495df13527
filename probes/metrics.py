"""Metrics: from targets and predictions to a score."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


def r2(targets: Float[Array, "n k"], predictions: Float[Array, "n k"]) -> Float[Array, " k"]:
    """R² of each column, the share of its variance that is predicted: float32 [k].

    1 is perfect, 0 is no better than the mean, below 0 is worse; a constant target scores 0.
    """
    residual = jnp.sum((targets - predictions) ** 2, axis=0)
    total = jnp.sum((targets - targets.mean(0)[None]) ** 2, axis=0)
    return jnp.where(total > 0, 1 - residual / jnp.where(total > 0, total, 1.0), 0.0)


def masked_mean(values: Float[Array, " k"], where: Bool[Array, " k"]) -> Float[Array, ""]:
    """Mean of the values that take part, 0 if none does: float32 []."""
    return jnp.sum(jnp.where(where, values, 0.0)) / jnp.maximum(where.sum(), 1)


def matthews(labels: Bool[Array, " n"], predictions: Bool[Array, " n"]) -> Float[Array, ""]:
    """Matthews correlation of true and predicted labels: float32 [], -1 to 1.

    1 is perfect, 0 is no better than chance; 0 too if all labels or all predictions are equal.
    """
    truth, told = (part - part.mean() for part in (labels.astype(float), predictions.astype(float)))
    scale = jnp.sqrt(jnp.mean(truth**2) * jnp.mean(told**2))
    return jnp.where(scale > 0, jnp.mean(truth * told) / jnp.where(scale > 0, scale, 1.0), 0.0)
