"""Metrics: scores of predictions of targets."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int


def r2(targets: Float[Array, "n k"], predictions: Float[Array, "n k"]) -> Float[Array, " k"]:
    """Returns R² of each column, the fraction of its variance that is predicted: float32 [k].

    1 is perfect, 0 is as good as the mean, below 0 is worse. The R² of a constant target is 0.
    """
    residual = jnp.sum((targets - predictions) ** 2, axis=0)
    total = jnp.sum((targets - targets.mean(0)[None]) ** 2, axis=0)
    varies = targets.max(0) > targets.min(0)  # the mean of a constant can differ by rounding
    return jnp.where(varies, 1 - residual / jnp.where(varies, total, 1.0), 0.0)


def masked_mean(values: Float[Array, " k"], where: Bool[Array, " k"]) -> Float[Array, ""]:
    """Returns the mean of the values in `where`, 0 if there are none: float32 []."""
    return jnp.sum(jnp.where(where, values, 0.0)) / jnp.maximum(where.sum(), 1)


def matthews(
    labels: Int[Array, " n"] | Bool[Array, " n"],
    predictions: Int[Array, " n"] | Bool[Array, " n"],
    classes: int = 2,
) -> Float[Array, ""]:
    """Returns the Matthews correlation of true and predicted labels: float32 [], -1 to 1.

    1 is perfect, 0 is as good as chance. It is 0 if all labels or all predictions are equal. It is
    the covariance of the one-hots over the root of the product of their variances (Gorodkin 2004).

    labels, predictions: integers from 0 to classes - 1, or bool.
    """
    truth, predicted = (_centred_one_hots(part, classes) for part in (labels, predictions))
    defined = (labels.min() < labels.max()) & (predictions.min() < predictions.max())
    scale = jnp.sqrt(_covariance(truth, truth) * _covariance(predicted, predicted))
    ratio = _covariance(truth, predicted) / jnp.where(defined, scale, 1.0)
    return jnp.where(defined, jnp.clip(ratio, -1.0, 1.0), 0.0)


def _centred_one_hots(labels, classes):
    """Returns all columns but that of class 0, which the others determine."""
    columns = jax.nn.one_hot(labels.astype(int), classes)[:, 1:]
    return columns - columns.mean(0)[None]


def _covariance(a, b):
    """Σ of covariances over classes; class 0 adds the covariance of the sums over the others."""
    return jnp.mean(jnp.sum(a * b, axis=1) + a.sum(1) * b.sum(1))
