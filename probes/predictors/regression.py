"""Regression probes: fitted on some rows, applied to others.

All are functions (key, features [n, d], targets [n, k], queries [m, d]) -> predictions [m, k] of
float32. Features are standardised on the fitted rows; a constant column (a masked dimension)
becomes 0. Every target is fitted separately, so its score does not depend on the other targets.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from probes.predictors.networks import STEPS, fit_network

Probe = Callable[
    [Key[Array, ""], Float[Array, "n d"], Float[Array, "n k"], Float[Array, "m d"]],
    Float[Array, "m k"],
]

PENALTY = 1e-4  # of ridge regression, in units of a standardised feature's variance


@jax.default_matmul_precision("float32")
def ridge(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
) -> Float[Array, "m k"]:
    """Returns predictions of linear regression; its penalty only matters in an ill-posed fit."""
    del key
    return _ridge(features, targets, queries)


@jax.default_matmul_precision("float32")
def mlp(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
    *,
    steps: int = STEPS,
) -> Float[Array, "m k"]:
    """Returns predictions of ridge regression plus a small MLP per target for its residuals."""
    linear = _ridge(features, targets, jnp.concatenate([features, queries]))
    residuals = targets - linear[: len(features)]
    features, queries = standardize(features, queries)
    scale = jnp.maximum(targets.std(0), 1e-12)[None]

    def fit(key, residual):
        return fit_network(
            key, optax.squared_error, features, residual, queries=queries, steps=steps
        )

    keys = jax.random.split(key, targets.shape[1])
    fits = jax.vmap(fit, in_axes=(0, 1), out_axes=1)(keys, residuals / scale)
    return linear[len(features) :] + scale * fits


def standardize(
    features: Float[Array, "n d"], queries: Float[Array, "m d"]
) -> tuple[Float[Array, "n d"], Float[Array, "m d"]]:
    """Returns both with the columns of `features` at mean 0 and variance 1, constant ones at 0."""
    mean, std = features.mean(0)[None], features.std(0)[None]
    scale = jnp.where(std > 1e-6 * jnp.maximum(std.max(), 1e-12), std, jnp.inf)
    return (features - mean) / scale, (queries - mean) / scale


def _ridge(features, targets, queries):
    features, queries = standardize(features, queries)
    mean = targets.mean(0)[None]
    gram = features.T @ features / len(features) + PENALTY * jnp.eye(features.shape[1])
    cross = features.T @ (targets - mean) / len(features)
    return mean + queries @ jax.scipy.linalg.solve(gram, cross, assume_a="pos")
