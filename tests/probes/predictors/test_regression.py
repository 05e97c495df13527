import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import PROBES
from probes.metrics import r2
from probes.predictors.regression import mlp, ridge

N = 3000


@pytest.fixture
def features(key):
    return jax.random.normal(key, (2 * N, 3))


def score(probe, features, targets, key):
    """R² on the second half of the rows."""
    half = len(features) // 2
    predictions = probe(key, features[:half], targets[:half], features[half:])
    return r2(targets[half:], predictions)


def test_ridge_is_least_squares(features, key):
    noise = jax.random.normal(jax.random.fold_in(key, 1), (2 * N, 2))
    targets = features @ jnp.array([[1.0, 2.0], [0.0, -1.0], [3.0, 0.5]]) + 4 + noise
    predictions = ridge(key, features[:N], targets[:N], features[N:])
    design = np.column_stack([np.ones(N), features[:N]]).astype(np.float64)
    weights = np.linalg.lstsq(design, np.asarray(targets[:N], np.float64), rcond=None)[0]
    expected = np.column_stack([np.ones(N), features[N:]]) @ weights
    np.testing.assert_allclose(predictions, expected, atol=3e-3)


def test_ridge_is_invariant_to_scale_and_shift_of_features(features, key):
    targets = features[:, :1]
    np.testing.assert_allclose(
        score(ridge, 1e-3 * features + 100, targets, key),
        score(ridge, features, targets, key),
        atol=2e-3,
    )


def test_mlp_learns_functions_that_ridge_cannot(features, key):
    targets = jnp.stack([features[:, 0] ** 2, features[:, 1], jnp.sin(2 * features[:, 2])], 1)
    linear, nonlinear = (score(probe, features, targets, key) for probe in (ridge, mlp))
    np.testing.assert_allclose(linear, [0, 1, 0.147], atol=0.05)
    assert (nonlinear > 0.9).all()


@pytest.mark.parametrize("probe", PROBES.values())
def test_independent_targets_score_0(probe, features, key):
    targets = jax.random.normal(jax.random.fold_in(key, 1), (2 * N, 3))
    np.testing.assert_allclose(score(probe, features, targets, key), 0, atol=0.06)


@pytest.mark.parametrize("probe", PROBES.values())
def test_a_masked_column_changes_nothing(probe, features, key):
    features = features[:1600]
    targets = features[:, :2] ** 2 + features[:, :2]
    padded = jnp.pad(features, ((0, 0), (0, 2)))
    tolerance = 1e-4 if probe is ridge else 0.03  # initial weights of the padded one differ
    np.testing.assert_allclose(
        score(probe, padded, targets, key), score(probe, features, targets, key), atol=tolerance
    )


@pytest.mark.parametrize("probe", PROBES.values())
def test_vmap_over_lanes_agrees_with_single_lanes(probe, features, key):
    features = features[:1600]
    lanes = jnp.stack([features, features[:, ::-1] ** 3])
    targets = features[:, :2] ** 2 + features[:, :2]
    together = jax.jit(jax.vmap(lambda lane: score(probe, lane, targets, key)))(lanes)
    single = jnp.stack([score(probe, lane, targets, key) for lane in lanes])
    np.testing.assert_allclose(together, single, atol=5e-3)
