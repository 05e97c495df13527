"""Kernel ridge regression: a nonlinear regression probe in closed form."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from probes.columns import centres, deviations, varying
from probes.predictors.regression import check_fit, standardize

POINTS = 1024  # largest number of rows to fit; the first ones are taken
HELD_OUT = 4  # one in HELD_OUT rows is held out to choose bandwidth and penalty, then fitted too
BANDWIDTHS = (0.25, 0.5, 1.0, 2.0)  # of a Gaussian kernel, in units of √(number of features)
PENALTIES = (1e-5, 1e-3, 1e-1)  # per fitted row


@jax.jit
@jax.default_matmul_precision("float32")
def kernel_ridge(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
) -> Float[Array, "m k"]:
    """Returns predictions of ridge regression with a Gaussian kernel on the first `POINTS` rows.

    Each target has the bandwidth and the penalty that predict its held-out rows best.
    """
    del key
    check_fit(features, targets, queries)
    features, targets = features[:POINTS], targets[:POINTS]
    points, queries = standardize(features, queries)
    mean, std = centres(targets)[None], deviations(targets)[None]
    values = (targets - mean) / jnp.where(std == 0, jnp.inf, std)
    fitted = len(points) - max(len(points) // HELD_OUT, 1)
    scale = 0.5 / jnp.maximum(jnp.sum(varying(features)), 1)
    distances = scale * _squared_distances(points, points)

    def held_out_errors(bandwidth):
        kernel = jnp.exp(-distances / bandwidth**2)

        def of_penalty(penalty):
            weights = _solve(kernel[:fitted, :fitted], values[:fitted], penalty)
            return jnp.mean((kernel[fitted:, :fitted] @ weights - values[fitted:]) ** 2, axis=0)

        return jax.lax.map(of_penalty, jnp.array(PENALTIES))

    errors = jax.lax.map(held_out_errors, jnp.array(BANDWIDTHS))
    best = jnp.argmin(errors.reshape(-1, errors.shape[-1]), axis=0)
    chosen = jax.nn.one_hot(best, errors[..., 0].size, axis=0, dtype=bool).reshape(errors.shape)

    def predict(bandwidth, chosen):
        kernel = jnp.exp(-distances / bandwidth**2)
        solve = lambda penalty, chosen: jnp.where(chosen, _solve(kernel, values, penalty), 0.0)
        weights = _sum_of_chosen(solve, PENALTIES, chosen)
        return jnp.exp(-scale * _squared_distances(queries, points) / bandwidth**2) @ weights

    return mean + std * _sum_of_chosen(predict, BANDWIDTHS, chosen)


def _sum_of_chosen(function, values, chosen):
    """Returns the sum of function(value, chosen[value]) over the values that a target chose."""

    def of_value(value_and_chosen):
        value, chosen = value_and_chosen
        result = jax.eval_shape(function, value, chosen)
        nothing = lambda *_: jnp.zeros(result.shape, result.dtype)
        return jax.lax.cond(chosen.any(), function, nothing, value, chosen)

    return jax.lax.map(of_value, (jnp.array(values), chosen)).sum(0)


def _squared_distances(a, b):
    """‖a_i - b_j‖² of standardised rows, which are already centred."""
    squares = jnp.sum(a**2, 1)[:, None] + jnp.sum(b**2, 1)[None] - 2 * a @ b.T
    return jnp.maximum(squares, 0.0)


def _solve(kernel, values, penalty):
    ridge = penalty * len(kernel) * jnp.eye(len(kernel))
    return jax.scipy.linalg.solve(kernel + ridge, values, assume_a="pos")
