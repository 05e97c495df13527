import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from probes import linear_cka, mean_corr

ALL = jnp.ones(3, bool)


@pytest.fixture
def latents(key):
    return jax.random.normal(key, (4000, 3))


def test_mean_corr_of_a_scaled_permutation_is_1(latents):
    features = latents[:, jnp.array([2, 0, 1])] * jnp.array([3.0, -1.0, 0.5])[None] + 7
    np.testing.assert_allclose(mean_corr(features, latents, ALL), 1, atol=1e-5)


def test_a_rotation_lowers_mean_corr_but_not_linear_cka(latents):
    rotation, _ = jnp.linalg.qr(jax.random.normal(jax.random.key(3), (3, 3)))
    rotated = latents @ rotation
    assert mean_corr(rotated, latents, ALL) < 0.95
    np.testing.assert_allclose(linear_cka(5 * rotated + 1, latents, ALL), 1, atol=1e-4)


def test_independent_features_score_about_0(latents, key):
    other = jax.random.normal(jax.random.fold_in(key, 1), latents.shape)
    assert mean_corr(other, latents, ALL) < 0.05
    assert linear_cka(other, latents, ALL) < 0.01


def test_masked_columns_change_nothing(latents):
    features = jnp.tanh(latents @ jnp.array([[1.0, 0.5], [0.2, 1.0], [0.7, 0.1]]))
    padded = jnp.pad(features, ((0, 0), (0, 2)))
    where = jnp.array([True, False, True])
    for metric in (mean_corr, linear_cka):
        expected = metric(features, latents[:, jnp.array([0, 2])], jnp.ones(2, bool))
        np.testing.assert_allclose(metric(padded, latents, where), expected, atol=1e-6)


def test_the_matching_is_the_best_one(latents, key):
    features = latents @ jax.random.normal(key, (3, 5))
    corr = np.abs(np.corrcoef(features.T, latents.T)[:5, 5:])
    best = corr[linear_sum_assignment(-corr)].mean()
    np.testing.assert_allclose(mean_corr(features, latents, ALL), best, atol=1e-5)


def test_constant_features_give_zero(latents):
    for metric in (mean_corr, linear_cka):
        assert metric(jnp.ones((4000, 2)), latents, ALL) == 0
