"""Regression probes: fitted on some rows, applied to others.

All are functions (key, features [n, d], targets [n, k], queries [m, d]) -> predictions [m, k] of
float32. Features are standardised on the fitted rows; a constant column (a masked dimension)
becomes 0. Every target is fitted separately, so its score does not depend on the other targets.
Scale and offset of features and targets do not matter. NaN in the features to fit makes all
predictions NaN, NaN in a target those of the target, NaN in a query those of the query.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

from probes.arguments import check_columns, check_floats, check_rows
from probes.columns import centres, deviations
from probes.predictors.networks import STEPS, NetworkKeys, fit_network

Probe = Callable[
    [Key[Array, ""], Float[Array, "n d"], Float[Array, "n k"], Float[Array, "m d"]],
    Float[Array, "m k"],
]

PENALTY = 1e-4  # of ridge regression, in units of a standardised feature's variance


@jax.jit
@jax.default_matmul_precision("float32")
def ridge(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
) -> Float[Array, "m k"]:
    """Returns predictions of linear regression; its penalty only matters in an ill-posed fit."""
    del key
    check_fit(features, targets, queries)
    return _ridge(features, targets, queries)


@partial(jax.jit, static_argnames="steps")
@jax.default_matmul_precision("float32")
def mlp(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
    *,
    steps: int = STEPS,
) -> Float[Array, "m k"]:
    """Returns predictions of ridge regression plus a small MLP per target for its residuals.

    All targets share the rows of each step of training.
    """
    check_fit(features, targets, queries)
    linear = _ridge(features, targets, jnp.concatenate([features, queries]))
    residuals = targets - linear[: len(features)]
    features, queries = standardize(features, queries)
    scale = deviations(targets)[None]

    key_init, key_batches = jax.random.split(key)
    keys = jax.random.split(key_init, targets.shape[1])

    def fit(key, residual):
        return fit_network(
            NetworkKeys(key, key_batches),
            optax.squared_error,
            features,
            residual,
            queries=queries,
            steps=steps,
        )

    relative = residuals / jnp.where(scale == 0, jnp.inf, scale)
    fits = jax.vmap(fit, in_axes=(0, 1), out_axes=1)(keys, relative)
    return linear[len(features) :] + scale * fits


def standardize(
    features: Float[Array, "n d"], queries: Float[Array, "m d"]
) -> tuple[Float[Array, "n d"], Float[Array, "m d"]]:
    """Returns both with the columns of `features` at mean 0 and variance 1, constant ones at 0."""
    approximate = features.mean(0)[None]
    rest = (features - approximate).mean(0)[None]  # the rounding error of the mean
    std = deviations(features)[None]
    scale = jnp.where(std == 0, jnp.inf, std)
    return (features - approximate - rest) / scale, (queries - approximate - rest) / scale


def check_fit(
    features: Float[Array, "n d"], targets: Float[Array, "n k"], queries: Float[Array, "m d"]
) -> None:
    """Raises ValueError unless the arguments of a probe have matching shapes and are floats."""
    check_floats(features=features, targets=targets, queries=queries)
    check_rows(features=features, targets=targets)
    check_columns(features=features, queries=queries)


def predict(
    probe: Probe,
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    *,
    queries: Float[Array, "m d"],
) -> Float[Array, "m k"]:
    """Returns the predictions of a probe; raises ValueError, with its name, for another shape."""
    predictions = probe(key, features, targets, queries)
    name, allowed = getattr(probe, "__name__", repr(probe)), (len(queries), targets.shape[1])
    is_array = isinstance(predictions, jax.Array)
    is_float = is_array and jnp.issubdtype(predictions.dtype, jnp.floating)
    if not is_float or predictions.shape != allowed:
        found = type(predictions).__name__
        if is_array:
            found = f"{predictions.dtype} {list(predictions.shape)}"
        raise ValueError(f"probe {name!r} returns {found}: allowed is float32 {list(allowed)}")
    return predictions


def _ridge(features, targets, queries):
    features, queries = standardize(features, queries)
    mean = centres(targets)[None]
    gram = features.T @ features / len(features) + PENALTY * jnp.eye(features.shape[1])
    cross = features.T @ (targets - mean) / len(features)
    return mean + queries @ jax.scipy.linalg.solve(gram, cross, assume_a="pos")
