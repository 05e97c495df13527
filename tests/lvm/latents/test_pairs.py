import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.latents.mixing import unmix

SPEC = lvm.WorldSpec(semantics=4, image_only=2, text_only=2)
COUNT = 4000
UNMIX = jax.jit(unmix)


@pytest.fixture
def world(key):
    return lvm.init_world(key, SPEC, jnp.int32(1))


def bias(selected, perturbable=()):
    return lvm.bias_from_indices(4, selected, perturbable)


@jax.jit
def draw(world, some_bias, probability):
    key = jax.random.key(7)
    return lvm.sample_pairs(key, world, some_bias, COUNT, noise_probability=probability)


def sample(world, some_bias, probability=0.5):
    return draw(world, some_bias, np.float32(probability))


def test_observations_are_mixed_latents(world):
    pairs = sample(world, bias([1, 3]))
    z_x = np.concatenate([pairs.s, pairs.m_x], axis=1)
    z_t = np.concatenate([pairs.s_text, pairs.m_t], axis=1)
    np.testing.assert_allclose(UNMIX(world.mixing_x, pairs.x), z_x, atol=1e-3)
    np.testing.assert_allclose(UNMIX(world.mixing_t, pairs.t), z_t, atol=1e-3)


def test_text_contains_selected_semantics_exactly_and_no_others(world):
    pairs = sample(world, bias([1, 3]))
    np.testing.assert_array_equal(pairs.s_text[:, [0, 2]], pairs.s[:, [0, 2]])
    np.testing.assert_array_equal(pairs.s_text[:, [1, 3]], 0)


def test_perturbable_semantics_alone_are_distorted_at_the_rate(world):
    pairs = sample(world, bias([1, 2, 3], [1, 3]), probability=0.3)
    rates = np.asarray(pairs.s_text != pairs.s).mean(0)
    np.testing.assert_allclose(rates, [0.3, 0, 0.3, 1], atol=0.03)
    both = np.asarray((pairs.s_text != pairs.s)[:, 0] & (pairs.s_text != pairs.s)[:, 2]).mean()
    np.testing.assert_allclose(both, 0.09, atol=0.02)


@pytest.mark.parametrize(("probability", "rate"), [(0.0, 0.0), (1.0, 1.0)])
def test_noise_probability_zero_and_one(world, probability, rate):
    pairs = sample(world, bias([1, 2], [2]), probability)
    np.testing.assert_array_equal(np.asarray(pairs.s_text != pairs.s)[:, 1].mean(), rate)


def test_a_distortion_changes_the_text_alone(world):
    clean, distorted = (sample(world, bias([1, 2, 3, 4], [1]), p) for p in (0.0, 1.0))
    for field in ("x", "s", "m_x", "m_t"):
        np.testing.assert_array_equal(getattr(clean, field), getattr(distorted, field))
    # the descendants of s1 in the latent graph are unchanged in the text
    np.testing.assert_array_equal(clean.s_text[:, 1:], distorted.s_text[:, 1:])
    assert not np.array_equal(clean.t, distorted.t)


def test_noise_has_the_covariance_of_the_world(world):
    pairs = sample(world, bias([1, 2, 3, 4], [1, 2, 3]), 1.0)
    noise = np.asarray(pairs.s_text - pairs.s)[:, :3]
    cov = np.asarray(world.root_noise @ world.root_noise.T)[:3, :3]
    np.testing.assert_allclose(np.cov(noise.T), cov, atol=0.08 * np.diag(cov).max())


def test_masked_text_equals_that_of_a_smaller_world(world):
    """Removing the omitted semantics and the rows that mix them changes nothing."""
    pairs = sample(world, bias([1, 2]))
    first = world.mixing_t[0][jnp.array([0, 1, 4, 5])]
    hidden = np.concatenate([pairs.s_text[:, :2], pairs.m_t], axis=1) @ first
    for weight in world.mixing_t[1:]:
        hidden = jnp.where(hidden > 0, hidden, 0.2 * hidden) @ weight
    np.testing.assert_allclose(pairs.t, hidden, atol=1e-4)


def test_jit_and_vmap_agree_with_plain_calls(world):
    biases = [bias([1]), bias([1, 2], [2])]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *biases)
    together = jax.jit(jax.vmap(sample, in_axes=(None, 0)))(world, stacked)
    for index, some_bias in enumerate(biases):
        alone = sample(world, some_bias)
        for a, b in zip(alone, together, strict=True):
            np.testing.assert_allclose(a, b[index], rtol=1e-4, atol=1e-4)
