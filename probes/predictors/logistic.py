"""Multinomial logistic regression by Newton's method.

The loss is convex. With the penalty it has one minimum even if classes can be separated, features
are collinear, or a class never occurs.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from probes.predictors.classification import check_classification, decide
from probes.predictors.regression import standardize

PENALTY = 1e-4  # with a smaller one rounding can make the Hessian indefinite
MAX_STEPS = 15  # the hardest fits tried reach the precision of float32 after twelve
PROGRESS = 0.9  # iteration ends once a step leaves more than this fraction of the squared gradient
FRACTIONS = (1.0, 0.5, 0.25, 0.125)  # of a Newton step; full steps alone can diverge


@partial(jax.jit, static_argnames="classes")
@jax.default_matmul_precision("float32")
def logistic(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    labels: Int[Array, " n"],
    queries: Float[Array, "m d"],
    *,
    classes: int,
) -> Int[Array, " m"]:
    """Returns the labels predicted by multinomial logistic regression.

    It has a small penalty, which matters if classes can be separated. Memory grows with
    n d classes, time with n d² classes².
    """
    del key
    check_classification(features, labels, queries, classes)
    features, queries = map(_with_intercept, standardize(features, queries))
    return decide(queries @ fit_logistic(features, labels, classes), labels)


@partial(jax.jit, static_argnames="classes")
def fit_logistic(
    features: Float[Array, "n d"], labels: Int[Array, " n"], classes: int
) -> Float[Array, "d classes"]:
    """Returns the weights that minimise mean cross-entropy + PENALTY / 2 ‖weights‖².

    An intercept must be among the features, as a constant column. Each step is the fraction of a
    Newton step with the smallest gradient: a small enough fraction always reduces the gradient, and
    float32 resolves the gradient near the minimum, unlike the loss.
    """
    truth = jax.nn.one_hot(labels, classes)

    def gradient(weights):
        errors = jax.nn.softmax(features @ weights) - truth
        return features.T @ errors / len(features) + PENALTY * weights

    def step(fit):
        hessian = _hessian(features, jax.nn.softmax(features @ fit.weights))
        hessian = hessian + PENALTY * jnp.eye(fit.weights.size)
        newton = jax.scipy.linalg.solve(hessian, gradient(fit.weights).ravel(), assume_a="pos")
        fractions = jnp.array(FRACTIONS)[:, None, None]
        candidates = fit.weights[None] - fractions * newton.reshape(1, *fit.weights.shape)
        squared = jnp.sum(jax.vmap(gradient)(candidates) ** 2, axis=(1, 2))
        improving = squared.min() < PROGRESS * fit.squared_gradient
        return _Fit(candidates[jnp.argmin(squared)], squared.min(), fit.steps + 1, improving)

    weights = jnp.zeros((features.shape[1], classes))
    start = _Fit(weights, jnp.sum(gradient(weights) ** 2), jnp.int32(0), jnp.bool_(True))
    unfinished = lambda fit: fit.improving & (fit.steps < MAX_STEPS)
    return jax.lax.while_loop(unfinished, step, start).weights


class _Fit(NamedTuple):
    """State of Newton's method."""

    weights: Float[Array, "d classes"]
    squared_gradient: Float[Array, ""]
    steps: Int[Array, ""]
    improving: Bool[Array, ""]


def _hessian(features, probabilities):
    """Hessian of the mean cross-entropy in raveled weights: the mean of x xᵀ ⊗ (diag p - p pᵀ)."""
    (n, d), classes = features.shape, probabilities.shape[1]
    products = (features[:, :, None] * probabilities[:, None]).reshape(n, d * classes)
    diagonal = (products.T @ features).reshape(d, classes, d)
    diagonal = jnp.einsum("ikj,kl->ikjl", diagonal, jnp.eye(classes))
    return (diagonal.reshape(d * classes, d * classes) - products.T @ products) / n


def _with_intercept(rows):
    return jnp.pad(rows, ((0, 0), (0, 1)), constant_values=1.0)
