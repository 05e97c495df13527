import jax
import jax.numpy as jnp
import numpy as np

from probes import kernel_ridge, ridge
from probes.metrics import r2
from probes.predictors.kernel_ridge import BANDWIDTHS, HELD_OUT, PENALTIES


def by_numpy(features, targets, queries):
    """The same probe in float64, target by target."""
    mean, std = features.mean(0), features.std(0)
    points, queries = (features - mean) / std, (queries - mean) / std
    values = targets - targets.mean(0)
    fitted = len(points) - len(points) // HELD_OUT

    def kernel(a, b, bandwidth):
        squares = ((a[:, None] - b[None]) ** 2).sum(-1)
        return np.exp(-squares / (2 * bandwidth**2 * points.shape[1]))

    def attempt(column, bandwidth, penalty):
        solve = lambda count: np.linalg.solve(
            kernel(points[:count], points[:count], bandwidth) + penalty * count * np.eye(count),
            values[:count, column],
        )
        held_out = kernel(points[fitted:], points[:fitted], bandwidth) @ solve(fitted)
        error = ((held_out - values[fitted:, column]) ** 2).mean()
        return error, kernel(queries, points, bandwidth) @ solve(len(points))

    def best(column):
        attempts = [attempt(column, b, p) for b in BANDWIDTHS for p in PENALTIES]
        return targets[:, column].mean() + min(attempts, key=lambda attempt: attempt[0])[1]

    return np.stack([best(column) for column in range(targets.shape[1])], axis=1)


def test_predictions_agree_with_numpy_in_float64(key):
    features = jax.random.normal(key, (120, 3))
    noise = 0.3 * jax.random.normal(jax.random.fold_in(key, 1), (120,))
    targets = jnp.stack([jnp.sin(3 * features[:, 0]), features[:, 1] + noise, noise], axis=1)
    rows = [np.asarray(part, np.float64) for part in (features[:80], targets[:80], features[80:])]
    measured = kernel_ridge(key, features[:80], targets[:80], features[80:])
    np.testing.assert_allclose(measured, by_numpy(*rows), atol=2e-2)


def test_it_learns_functions_that_ridge_cannot(key):
    features = jax.random.normal(key, (1600, 2))
    targets = jnp.stack([features[:, 0] ** 2, features[:, 0] * features[:, 1]], axis=1)
    fit, test = slice(0, 1000), slice(1000, None)
    linear, nonlinear = (
        r2(targets[test], probe(key, features[fit], targets[fit], features[test]))
        for probe in (ridge, kernel_ridge)
    )
    assert (linear < 0.1).all()
    assert (nonlinear > 0.97).all()
