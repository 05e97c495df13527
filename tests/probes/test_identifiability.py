"""Encoders built by hand whose scores are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
import probes
from lvm.latents.semantics import sample_semantics
from probes import Latents, Split, ridge
from tests.optimised import OPTIMISED

N = 6000
BY_NETWORKS = jax.jit(probes.identifiability_scores, static_argnums=1, compiler_options=OPTIMISED)
UNBIASED = jnp.array([True, True, False, False])
COV = np.array([[1.0, 0.3, 0.6, 0.0], [0.3, 1.0, 0.2, 0.0], [0.6, 0.2, 1.0, 0.0], [0.0, 0, 0, 1]])


@pytest.fixture
def latents(key):
    law = lvm.gaussian_semantics(COV)

    def draw(key):
        keys = jax.random.split(key, 3)
        return Latents(
            sample_semantics(keys[0], law, N),
            jax.random.normal(keys[1], (N, 2)),
            jax.random.normal(keys[2], (N, 3)),
        )

    return Split(*map(draw, jax.random.split(key)))


def identify(encoders, latents, key, probe=ridge, dimensions=None):
    """Returns all scores of the representations by some encoders."""
    z = Split(*(jnp.stack([encoder(part) for encoder in encoders]) for part in latents))
    dimensions = jnp.ones(z.fit.shape[-1], bool) if dimensions is None else dimensions
    score = BY_NETWORKS if probe is probes.mlp else probes.identifiability_scores
    return score(key, probe, z, latents, unbiased=UNBIASED, dimensions=dimensions)


def scores(encoder, latents, key, probe=ridge):
    of_all = identify([encoder], latents, key, probe)
    return jax.tree.map(lambda leaf: leaf[0], (of_all.forward, of_all.reverse))


@pytest.mark.slow
def test_attainable_scores_are_the_closed_form(latents, key):
    attainable = lvm.attainable_r2(jnp.asarray(COV, jnp.float32), UNBIASED)
    for probe in probes.PROBES.values():
        measured = identify([lambda part: part.s], latents, key, probe).attainable
        np.testing.assert_allclose(measured.s, attainable, atol=0.03)
        np.testing.assert_allclose((measured.m_x, measured.m_t), 0, atol=0.03)


def test_a_rotation_of_the_unbiased_semantics_identifies_them(latents, key):
    rotation = jnp.array([[0.6, -0.8], [0.8, 0.6]])
    forward, reverse = scores(lambda part: part.s[:, :2] @ rotation, latents, key)
    attainable = identify([lambda part: part.s], latents, key).attainable
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


def test_masked_dimensions_do_not_change_the_reverse_score(latents, key):
    padded = lambda part: jnp.pad(part.s[:, :2], ((0, 0), (0, 3)))
    reverse = identify([padded], latents, key, dimensions=jnp.arange(5) < 2).reverse
    np.testing.assert_allclose(reverse, 1, atol=1e-3)


def test_a_function_of_the_unbiased_semantics_has_a_partial_r2_of_0(latents, key):
    clean = lambda part: part.s[:, :2] * 2
    partial = identify([clean], latents, key).partial  # though s3 is predictable
    np.testing.assert_allclose(np.concatenate([partial.s[0], partial.m_x]), 0, atol=5e-3)
    np.testing.assert_array_equal(partial.s[:, :2], 0)


@pytest.mark.parametrize("size", [1.0, 1e-2])
@pytest.mark.parametrize("known", [True, False])
def test_partial_r2_of_a_trace_does_not_depend_on_its_size(size, known, latents, key):
    trace = lambda part: part.s[:, :2].at[:, 0].add(size * (part.s[:, 2] + part.m_t[:, 0]))
    z = Split(*(trace(part)[None] for part in latents))
    means = lambda part: part.s.at[:, 2:].set(part.s[:, :2] @ _coefficients())
    partial = probes.identifiability_scores(
        key,
        ridge,
        z,
        latents,
        unbiased=UNBIASED,
        dimensions=jnp.ones(2, bool),
        conditional_means=Split(*map(means, latents)) if known else None,
    ).partial
    residual = np.linalg.inv(np.linalg.inv(COV[:3, :3])[2:, 2:])[0, 0]  # variance of s3's residual
    np.testing.assert_allclose(partial.s[0], [0, 0, residual / (residual + 1), 0], atol=0.03)
    np.testing.assert_allclose(partial.m_t, 1 / (residual + 1) / 3, atol=0.03)  # of 3 coordinates


def test_known_conditional_means_give_attainable_scores_for_every_probe(latents, key):
    warped = Split(*(part._replace(s=part.s.at[:, 2].set(part.s[:, 0] ** 2)) for part in latents))
    means = lambda part: part.s.at[:, 3].set(0.0)
    scores = probes.identifiability_scores(
        key,
        ridge,
        Split(*(part.s[None, :, :2] for part in warped)),
        warped,
        unbiased=UNBIASED,
        dimensions=jnp.ones(2, bool),
        conditional_means=Split(*map(means, warped)),
    )
    np.testing.assert_allclose(scores.attainable.s, [1, 1, 1, 0], atol=1e-3)
    np.testing.assert_allclose((scores.attainable.m_x, scores.attainable.m_t), 0, atol=1e-3)
    assert scores.forward.s[0, 2] < 0.1  # that a line cannot follow


def _coefficients():
    """Of s3 and s4 on s1 and s2."""
    return jnp.asarray(np.linalg.solve(COV[:2, :2], COV[:2, 2:]), jnp.float32)


def test_scores_do_not_depend_on_other_representations(latents, key):
    encoders = [lambda part: part.s[:, :3], lambda part: part.m_t]
    both = identify(encoders, latents, key)
    for index, encoder in enumerate(encoders):
        z = Split(*map(encoder, latents))
        expected = probes.latent_scores(key, ridge, z, latents)
        measured = jax.tree.map(lambda leaf, index=index: leaf[index], both.forward)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), measured, expected)
