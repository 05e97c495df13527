"""Metrics: from targets and predictions to a score."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def r2(targets: Float[Array, "n k"], predictions: Float[Array, "n k"]) -> Float[Array, " k"]:
    """R² of each column, the share of its variance that is predicted: float32 [k].

    1 is perfect, 0 is no better than the mean, below 0 is worse; a constant target scores 0.
    """
    residual = jnp.sum((targets - predictions) ** 2, axis=0)
    total = jnp.sum((targets - targets.mean(0)[None]) ** 2, axis=0)
    varies = targets.max(0) > targets.min(0)  # the mean of a constant rounds
    return jnp.where(varies, 1 - residual / jnp.where(varies, total, 1.0), 0.0)


def masked_mean(values: Float[Array, " k"], where: Bool[Array, " k"]) -> Float[Array, ""]:
    """Mean of the values that take part, 0 if none does: float32 []."""
    return jnp.sum(jnp.where(where, values, 0.0)) / jnp.maximum(where.sum(), 1)


def matthews(
    labels: Int[Array, " n"] | Bool[Array, " n"],
    predictions: Int[Array, " n"] | Bool[Array, " n"],
    classes: int = 2,
) -> Float[Array, ""]:
    """Matthews correlation of true and predicted labels 0 to classes - 1: float32 [], -1 to 1.

    1 is perfect, 0 is no better than chance; 0 too if all labels or all predictions are equal.
    The covariance of their one-hots over the root of the product of variances (Gorodkin 2004).
    """
    truth, told = (_centred_one_hots(part, classes) for part in (labels, predictions))
    defined = (labels.min() < labels.max()) & (predictions.min() < predictions.max())
    scale = jnp.sqrt(_covariance(truth, truth) * _covariance(told, told))
    ratio = _covariance(truth, told) / jnp.where(defined, scale, 1.0)
    return jnp.where(defined, jnp.clip(ratio, -1.0, 1.0), 0.0)


def _centred_one_hots(labels, classes):
    """All columns but that of class 0, which is what they leave: of two classes, one column."""
    columns = jax.nn.one_hot(labels.astype(int), classes)[:, 1:]
    return columns - columns.mean(0)[None]


def _covariance(a, b):
    """Σ over classes; that of class 0 is the covariance of the sums over the others."""
    return jnp.mean(jnp.sum(a * b, axis=1) + a.sum(1) * b.sum(1))
