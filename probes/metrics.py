"""Metrics: scores of predictions of targets."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from probes.arguments import (
    check_at_least,
    check_columns,
    check_floats,
    check_labels,
    check_mask,
    check_rows,
)
from probes.columns import centre


@jax.jit
def r2(targets: Float[Array, "n k"], predictions: Float[Array, "n k"]) -> Float[Array, " k"]:
    """Returns R² of each column, the fraction of its variance that is predicted: float32 [k].

    1 is perfect, 0 is as good as the mean, below 0 is worse. The R² of a constant target is 0, that
    of a column with NaN is NaN. Scale and offset of both do not matter.

    Raises ValueError for different shapes or a dtype that is not floating-point.
    """
    check_floats(targets=targets, predictions=predictions)
    check_rows(targets=targets, predictions=predictions)
    check_columns(targets=targets, predictions=predictions)
    centred = centre(targets)
    largest = jnp.abs(centred).max(0)
    unit = jnp.where(largest == 0, 1.0, largest)[None]  # its square can overflow or underflow
    residual = jnp.sum(((targets - predictions) / unit) ** 2, axis=0)
    total = jnp.sum((centred / unit) ** 2, axis=0)
    of_constant = jnp.where(jnp.isnan(residual), jnp.nan, 0.0)
    return jnp.where(total == 0, of_constant, 1 - residual / jnp.where(total == 0, 1.0, total))


def masked_mean(values: Float[Array, " k"], where: Bool[Array, " k"]) -> Float[Array, ""]:
    """Returns the mean of the values in `where`, 0 if there are none: float32 []."""
    check_floats(1, values=values)
    check_mask(len(values), where=where)
    return jnp.sum(jnp.where(where, values, 0.0)) / jnp.maximum(where.sum(), 1)


@partial(jax.jit, static_argnames="classes")
def matthews(
    labels: Int[Array, " n"] | Bool[Array, " n"],
    predictions: Int[Array, " n"] | Bool[Array, " n"],
    classes: int = 2,
) -> Float[Array, ""]:
    """Returns the Matthews correlation of true and predicted labels: float32 [], -1 to 1.

    1 is perfect, 0 is as good as chance. It is 0 if all labels or all predictions are equal, NaN if
    one of them is not a class. It is the covariance of the one-hots over the root of the product of
    their variances (Gorodkin 2004).

    labels, predictions: integers from 0 to classes - 1, or bool.

    Raises ValueError for different numbers of rows, another dtype, or fewer than 2 classes.
    """
    check_labels(labels=labels, predictions=predictions)
    check_rows(labels=labels, predictions=predictions)
    check_at_least(2, classes=classes)
    truth, predicted = (_centred_one_hots(part, classes) for part in (labels, predictions))
    defined = (labels.min() < labels.max()) & (predictions.min() < predictions.max())
    scale = jnp.sqrt(_covariance(truth, truth) * _covariance(predicted, predicted))
    ratio = _covariance(truth, predicted) / jnp.where(defined, scale, 1.0)
    score = jnp.where(defined, jnp.clip(ratio, -1.0, 1.0), 0.0)
    return jnp.where(
        are_classes(labels, classes) & are_classes(predictions, classes), score, jnp.nan
    )


def are_classes(labels: Int[Array, " n"] | Bool[Array, " n"], classes: int) -> Bool[Array, ""]:
    """Returns whether all labels are from 0 to classes - 1: bool []."""
    labels = labels.astype(int)
    return jnp.all((labels >= 0) & (labels < classes))


def _centred_one_hots(labels, classes):
    """Returns all columns but that of class 0, which the others determine."""
    columns = jax.nn.one_hot(labels.astype(int), classes)[:, 1:]
    return columns - columns.mean(0)[None]


def _covariance(a, b):
    """Σ of covariances over classes; class 0 adds the covariance of the sums over the others."""
    return jnp.mean(jnp.sum(a * b, axis=1) + a.sum(1) * b.sum(1))
