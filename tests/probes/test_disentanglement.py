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


def test_a_latent_a_column_is_perfect(key):
    np.testing.assert_allclose(score("identity", key), 1, atol=0.01)


def test_a_rotation_mixes_but_tells_all(key):
    disentanglement, completeness, informativeness = score("rotation", key)
    assert disentanglement < 0.5
    assert completeness < 0.5
    np.testing.assert_allclose(informativeness, 1, atol=1e-3)


def test_a_warp_of_each_latent_is_perfect_for_the_mlp(key):
    np.testing.assert_allclose(score("warp", key, mlp), 1, atol=0.02)
    assert score("warp", key, ridge).informativeness < 0.99


def test_a_dropped_latent_costs_informativeness_alone(key):
    disentanglement, completeness, informativeness = score("dropped", key)
    np.testing.assert_allclose((disentanglement, completeness), 1, atol=0.02)
    np.testing.assert_allclose(informativeness, 2 / 3, atol=0.01)


@pytest.mark.parametrize("name", ["leaked", "entangled"])
def test_what_is_mixed_in_costs_all_three(name, key):
    clean, mixed = score("identity", key), score(name, key)
    for before, after in zip(clean, mixed, strict=True):
        assert after < before - 0.02


def test_importance_by_ridge_is_twice_the_squared_standardised_coefficient(key):
    keys = jax.random.split(key, 3)
    z = Split(jax.random.normal(keys[0], (4000, 3)), jax.random.normal(keys[1], (4000, 3)))
    weights = jnp.array([[2.0, 0.0], [1.0, 0.5], [0.0, 0.5]])
    s = jax.tree.map(lambda rows: rows @ weights, z)
    measured, told = importance(*keys[1:], ridge, features=z, latents=s)
    expected = 2 * weights**2 / jnp.sum(weights**2, axis=0)[None]
    np.testing.assert_allclose(measured, expected, atol=0.1)
    np.testing.assert_allclose(told, 1, atol=1e-4)


def test_it_is_what_numpy_says_of_known_shares(key):
    """s1 = z1 and s2 = (z1 + z2) / √2: importance 2, 0 and 1, 1, in shares of rows and columns."""
    z = Split(*(jax.random.normal(one, (8000, 2)) for one in jax.random.split(key)))
    s = jax.tree.map(lambda z: jnp.stack([z[:, 0], z.sum(1) / 2**0.5], axis=1), z)
    entropy = -(2 / 3 * np.log2(2 / 3) + 1 / 3 * np.log2(1 / 3))
    expected = ((3 * (1 - entropy) + 1) / 4, (2 * 1 + 2 * 0) / 4, 1)
    np.testing.assert_allclose(dci(key, ridge, z, s, where=jnp.ones(2, bool)), expected, atol=0.02)


def test_random_rotations_score_by_chance_what_the_docstring_says(key):
    k = 3

    def attempt(key):
        keys = jax.random.split(key, 3)
        turn, _ = jnp.linalg.qr(jax.random.normal(keys[0], (k, k)))
        s = Split(jax.random.normal(keys[1], (500, k)), jax.random.normal(keys[2], (500, k)))
        z = jax.tree.map(lambda rows: rows @ turn, s)
        return dci(key, ridge, z, s, where=jnp.ones(k, bool)).disentanglement

    chance = 1 - (digamma(k / 2 + 1) - digamma(1.5)) / np.log(k)
    measured = jax.jit(jax.vmap(attempt))(jax.random.split(key, 300)).mean()
    np.testing.assert_allclose(chance, 0.39, atol=0.01)
    np.testing.assert_allclose(measured, chance, atol=0.04)


def test_masked_columns_and_latents_are_the_smaller_problem(key):
    s, z = draw(key, ENCODERS["rotation"], FIT, TEST)
    padded = jax.tree.map(lambda rows: jnp.pad(rows, ((0, 0), (0, 2))), z)
    fewer = jax.tree.map(lambda rows: rows[:, :3], s)
    alone = dci(key, ridge, z, fewer, where=UNBIASED[:3])
    np.testing.assert_allclose(dci(key, ridge, padded, s, where=UNBIASED), alone, atol=0.02)


def test_nothing_told_and_nothing_asked_score_0(key):
    s, z = draw(key, ENCODERS["identity"], FIT, TEST)
    constant = jax.tree.map(jnp.zeros_like, z)
    *shares, informativeness = dci(key, ridge, constant, s, where=UNBIASED)
    assert shares == [0, 0]
    np.testing.assert_allclose(informativeness, 0, atol=0.01)
    assert dci(key, ridge, z, s, where=jnp.zeros(4, bool)) == (0, 0, 0)


def test_one_latent_has_nothing_to_share(key):
    s, z = draw(key, ENCODERS["identity"], FIT, TEST)
    first = jnp.array([True, False, False, False])
    np.testing.assert_allclose(dci(key, ridge, z, s, where=first).disentanglement, 1, atol=1e-6)


def test_vmap_and_jit_agree_with_single_calls(key):
    s, z = draw(key, ENCODERS["entangled"], 256, 256)
    keys = jax.random.split(key, 2)
    together = jax.jit(jax.vmap(lambda key: jnp.stack(dci(key, ridge, z, s, where=UNBIASED))))(keys)
    alone = jnp.stack([jnp.stack(dci(one, ridge, z, s, where=UNBIASED)) for one in keys])
    np.testing.assert_allclose(together, alone, atol=1e-4)
