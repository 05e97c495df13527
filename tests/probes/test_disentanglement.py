import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import digamma

from probes import Split, dci, mlp, ridge
from probes.disentanglement import importance
from tests.built_encoders import ENCODERS, draw

FIT, TEST = 2048, 1024
UNBIASED = jnp.array([True, True, True, False])


def score(name, key, probe=ridge):
    s, z = draw(key, ENCODERS[name], FIT, TEST)
    return dci(key, probe, z, s, where=UNBIASED)


def test_one_latent_per_column_is_perfect(key):
    np.testing.assert_allclose(score("identity", key), 1, atol=0.01)


def test_a_rotation_lowers_all_but_informativeness(key):
    disentanglement, completeness, informativeness = score("rotation", key)
    assert disentanglement < 0.5
    assert completeness < 0.5
    np.testing.assert_allclose(informativeness, 1, atol=1e-3)


def test_a_warp_of_each_latent_is_perfect_for_the_mlp(key):
    np.testing.assert_allclose(score("warp", key, mlp), 1, atol=0.02)
    assert score("warp", key, ridge).informativeness < 0.99


def test_a_dropped_latent_lowers_informativeness_alone(key):
    disentanglement, completeness, informativeness = score("dropped", key)
    np.testing.assert_allclose((disentanglement, completeness), 1, atol=0.02)
    np.testing.assert_allclose(informativeness, 2 / 3, atol=0.01)


@pytest.mark.parametrize("name", ["leaked", "entangled"])
def test_a_leak_and_entangled_noise_lower_all_three(name, key):
    clean, mixed = score("identity", key), score(name, key)
    for before, after in zip(clean, mixed, strict=True):
        assert after < before - 0.02


def test_importance_by_ridge_is_twice_the_squared_standardised_coefficient(key):
    keys = jax.random.split(key, 3)
    z = Split(jax.random.normal(keys[0], (4000, 3)), jax.random.normal(keys[1], (4000, 3)))
    weights = jnp.array([[2.0, 0.0], [1.0, 0.5], [0.0, 0.5]])
    s = jax.tree.map(lambda rows: rows @ weights, z)
    measured, scores = importance(*keys[1:], ridge, features=z, latents=s)
    expected = 2 * weights**2 / jnp.sum(weights**2, axis=0)[None]
    np.testing.assert_allclose(measured, expected, atol=0.1)
    np.testing.assert_allclose(scores, 1, atol=1e-4)


def test_scores_follow_from_known_importances(key):
    """s1 = z1 and s2 = (z1 + z2) / √2: the importances of z1 and z2 are 2, 0 and 1, 1."""
    z = Split(*(jax.random.normal(part, (8000, 2)) for part in jax.random.split(key)))
    s = jax.tree.map(lambda z: jnp.stack([z[:, 0], z.sum(1) / 2**0.5], axis=1), z)
    entropy = -(2 / 3 * np.log2(2 / 3) + 1 / 3 * np.log2(1 / 3))
    expected = ((3 * (1 - entropy) + 1) / 4, (2 * 1 + 2 * 0) / 4, 1)
    np.testing.assert_allclose(dci(key, ridge, z, s, where=jnp.ones(2, bool)), expected, atol=0.02)


def test_random_rotations_have_the_expected_score_of_the_docstring(key):
    k = 3

    def attempt(key):
        keys = jax.random.split(key, 3)
        rotation, _ = jnp.linalg.qr(jax.random.normal(keys[0], (k, k)))
        s = Split(jax.random.normal(keys[1], (500, k)), jax.random.normal(keys[2], (500, k)))
        z = jax.tree.map(lambda rows: rows @ rotation, s)
        return dci(key, ridge, z, s, where=jnp.ones(k, bool)).disentanglement

    chance = 1 - (digamma(k / 2 + 1) - digamma(1.5)) / np.log(k)
    measured = jax.jit(jax.vmap(attempt))(jax.random.split(key, 300)).mean()
    np.testing.assert_allclose(chance, 0.39, atol=0.01)
    np.testing.assert_allclose(measured, chance, atol=0.04)


def test_masked_columns_and_latents_change_nothing(key):
    s, z = draw(key, ENCODERS["rotation"], FIT, TEST)
    padded = jax.tree.map(lambda rows: jnp.pad(rows, ((0, 0), (0, 2))), z)
    unbiased = jax.tree.map(lambda rows: rows[:, :3], s)
    expected = dci(key, ridge, z, unbiased, where=UNBIASED[:3])
    np.testing.assert_allclose(dci(key, ridge, padded, s, where=UNBIASED), expected, atol=0.02)


def test_constant_features_and_an_empty_mask_score_0(key):
    s, z = draw(key, ENCODERS["identity"], FIT, TEST)
    constant = jax.tree.map(jnp.zeros_like, z)
    *concentrations, informativeness = dci(key, ridge, constant, s, where=UNBIASED)
    assert concentrations == [0, 0]
    np.testing.assert_allclose(informativeness, 0, atol=0.01)
    assert dci(key, ridge, z, s, where=jnp.zeros(4, bool)) == (0, 0, 0)


def test_disentanglement_of_one_latent_is_1(key):
    s, z = draw(key, ENCODERS["identity"], FIT, TEST)
    first = jnp.array([True, False, False, False])
    np.testing.assert_allclose(dci(key, ridge, z, s, where=first).disentanglement, 1, atol=1e-6)


def test_vmap_and_jit_agree_with_single_calls(key):
    s, z = draw(key, ENCODERS["entangled"], FIT, TEST)
    keys = jax.random.split(key, 2)
    together = jax.jit(jax.vmap(lambda key: jnp.stack(dci(key, ridge, z, s, where=UNBIASED))))(keys)
    single = jnp.stack([jnp.stack(dci(key, ridge, z, s, where=UNBIASED)) for key in keys])
    np.testing.assert_allclose(together, single, atol=1e-4)
