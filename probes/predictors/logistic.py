"""Logistic regression, multinomial, by Newton's method.

The loss is convex; with the penalty it has one minimum, also where classes can be separated, where
features repeat one another, or where a class never occurs.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from probes.predictors.regression import standardize

PENALTY = 1e-4  # with smaller ones rounding can leave the Hessian indefinite
STEPS = 15  # at most; the hardest fits tried are at the floor of float32 after twelve
FLOOR = 0.9  # a step that leaves more of the squared gradient than this is at that floor
SHARES = (1.0, 0.5, 0.25, 0.125)  # of a Newton step; whole ones alone can diverge


@jax.default_matmul_precision("float32")
def logistic(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    labels: Int[Array, " n"],
    queries: Float[Array, "m d"],
    *,
    classes: int,
) -> Int[Array, " m"]:
    """Multinomial logistic regression with a penalty that matters where classes can be separated.

    Its working memory grows with n d classes, its time with n d² classes².
    """
    del key
    features, queries = map(_with_intercept, standardize(features, queries))
    return jnp.argmax(queries @ fit_logistic(features, labels, classes), axis=1)


def fit_logistic(
    features: Float[Array, "n d"], labels: Int[Array, " n"], classes: int
) -> Float[Array, "d classes"]:
    """Weights that minimise mean cross-entropy + PENALTY / 2 ‖weights‖²; an intercept is a feature.

    Of each Newton step it goes the share that leaves the smallest gradient: a small enough share
    always shrinks it, and float32 resolves it to the end, as it does not the loss.
    """
    truth = jax.nn.one_hot(labels, classes)

    def gradient(weights):
        errors = jax.nn.softmax(features @ weights) - truth
        return features.T @ errors / len(features) + PENALTY * weights

    def step(fit):
        hessian = _hessian(features, jax.nn.softmax(features @ fit.weights))
        hessian = hessian + PENALTY * jnp.eye(fit.weights.size)
        move = jax.scipy.linalg.solve(hessian, gradient(fit.weights).ravel(), assume_a="pos")
        shares = jnp.array(SHARES)[:, None, None]
        ends = fit.weights[None] - shares * move.reshape(1, *fit.weights.shape)
        sizes = jnp.sum(jax.vmap(gradient)(ends) ** 2, axis=(1, 2))
        moving = sizes.min() < FLOOR * fit.size
        return _Fit(ends[jnp.argmin(sizes)], sizes.min(), fit.steps + 1, moving)

    weights = jnp.zeros((features.shape[1], classes))
    start = _Fit(weights, jnp.sum(gradient(weights) ** 2), jnp.int32(0), jnp.bool_(True))
    going_on = lambda fit: fit.moving & (fit.steps < STEPS)
    return jax.lax.while_loop(going_on, step, start).weights


class _Fit(NamedTuple):
    """Where Newton's method stands: size is of the gradient, squared."""

    weights: Float[Array, "d classes"]
    size: Float[Array, ""]
    steps: Int[Array, ""]
    moving: Bool[Array, ""]


def _hessian(features, chances):
    """Of the mean cross-entropy in raveled weights: the mean of x xᵀ ⊗ (diag p - p pᵀ)."""
    (n, d), classes = features.shape, chances.shape[1]
    each = (features[:, :, None] * chances[:, None]).reshape(n, d * classes)
    own = (each.T @ features).reshape(d, classes, d)
    own = jnp.einsum("ikj,kl->ikjl", own, jnp.eye(classes)).reshape(d * classes, d * classes)
    return (own - each.T @ each) / n


def _with_intercept(rows):
    return jnp.pad(rows, ((0, 0), (0, 1)), constant_values=1.0)
