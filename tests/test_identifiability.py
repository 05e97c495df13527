"""Hand-built encoders whose scores are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
import probes
from probes import Latents, Split, ridge

N = 6000
UNBIASED = jnp.array([True, True, False, False])
COV = np.array([[1.0, 0.3, 0.6, 0.0], [0.3, 1.0, 0.2, 0.0], [0.6, 0.2, 1.0, 0.0], [0.0, 0, 0, 1]])


@pytest.fixture
def latents(key):
    law = lvm.gaussian_semantics(COV)

    def draw(key):
        keys = jax.random.split(key, 3)
        return Latents(
            lvm.sample_semantics(keys[0], law, N),
            jax.random.normal(keys[1], (N, 2)),
            jax.random.normal(keys[2], (N, 3)),
        )

    return Split(*map(draw, jax.random.split(key)))


def features(encoder, latents):
    return Split(*map(encoder, latents))


def scores(encoder, latents, key, probe=ridge):
    z = features(encoder, latents)
    forward = probes.latent_scores(key, probe, z, latents)
    reverse = probes.reverse_score(key, probe, z, latents, UNBIASED, jnp.ones(z.fit.shape[1], bool))
    return forward, reverse


def test_attainable_scores_are_the_closed_form(latents, key):
    attainable = lvm.attainable_r2(jnp.asarray(COV, jnp.float32), UNBIASED)
    for probe in probes.PROBES.values():
        measured = probes.attainable_scores(key, probe, latents, UNBIASED)
        np.testing.assert_allclose(measured.s, attainable, atol=0.03)
        np.testing.assert_allclose((measured.m_x, measured.m_t), 0, atol=0.03)


def test_a_rotation_of_the_unbiased_semantics_identifies_them(latents, key):
    turn = jnp.array([[0.6, -0.8], [0.8, 0.6]])
    forward, reverse = scores(lambda part: part.s[:, :2] @ turn, latents, key)
    attainable = probes.attainable_scores(key, ridge, latents, UNBIASED)
    np.testing.assert_allclose(forward.s, attainable.s, atol=1e-3)
    np.testing.assert_allclose(reverse, 1, atol=1e-3)


def test_an_invertible_warp_identifies_them_for_the_mlp_alone(latents, key):
    warp = lambda part: jnp.sinh(2 * part.s[:, :2])
    linear, _ = scores(warp, latents, key)
    nonlinear, reverse = scores(lambda part: part.s[:, :2] ** 3, latents, key, probes.mlp)
    assert (linear.s[:2] < 0.8).all()
    assert (nonlinear.s[:2] > 0.95).all()
    assert reverse > 0.9


def test_a_dropped_semantic_lowers_its_score_but_not_the_reverse(latents, key):
    forward, reverse = scores(lambda part: part.s[:, :1], latents, key)
    np.testing.assert_allclose(forward.s, [1, 0.09, 0.36, 0], atol=0.03)
    np.testing.assert_allclose(reverse, 1, atol=1e-3)


def test_a_leaked_latent_lowers_the_reverse_score(latents, key):
    leaky = lambda part: jnp.concatenate([part.s[:, :2], part.s[:, 3:]], 1)
    forward, reverse = scores(leaky, latents, key)
    np.testing.assert_allclose(forward.s[jnp.array([0, 1, 3])], 1, atol=1e-3)
    np.testing.assert_allclose(reverse, 2 / 3, atol=0.02)


def test_entangled_noise_shows_in_m_x_and_in_the_reverse_score(latents, key):
    noisy = lambda part: part.s[:, :2] + part.m_x
    forward, reverse = scores(noisy, latents, key)
    assert forward.m_x > 0.3
    assert abs(forward.m_t) < 0.02
    np.testing.assert_allclose(reverse, 0.5, atol=0.03)


def test_masked_dimensions_do_not_count_in_the_reverse_score(latents, key):
    padded = features(lambda part: jnp.pad(part.s[:, :2], ((0, 0), (0, 3))), latents)
    dimensions = jnp.arange(5) < 2
    reverse = probes.reverse_score(key, ridge, padded, latents, UNBIASED, dimensions)
    np.testing.assert_allclose(reverse, 1, atol=1e-3)
