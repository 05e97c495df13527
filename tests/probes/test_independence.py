from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import independence_test, mlp, residual_independence, ridge
from tests.built_encoders import (
    ENCODERS,
    UNBIASED,
    column,
    draw,
    draw_latents,
    dropped,
    entangled,
    leaked,
)

FIT, TEST = 2048, 256
LEAST = 1 / 200  # p of a statistic that no permutation reaches


def given(s):
    return jax.tree.map(lambda part: part[:, :UNBIASED], s)


@partial(jax.jit, static_argnums=1)
def of_biased(key, probe, s, z):
    """p of what z tells of s4 and the unbiased latents do not."""
    key = jax.random.fold_in(key, 1)  # others than those of the draws
    return residual_independence(key, probe, z, column(s, 3), given=given(s)).p_value


def by_numpy(a, b):
    """The statistic in float64, from its definition with centring matrices."""

    def kernel(rows):
        squares = ((rows[:, None] - rows[None]) ** 2).sum(-1)
        return np.exp(-squares / (2 * np.median(squares)))

    centre = np.eye(len(a)) - 1 / len(a)
    return np.trace(kernel(a) @ centre @ kernel(b) @ centre) / len(a) ** 2


def test_the_statistic_is_what_numpy_says_in_float64(key):
    a = 1e3 + jax.random.normal(key, (200, 3))  # far from the origin
    b = a[:, :1] ** 2 / 1e3 + jax.random.normal(jax.random.fold_in(key, 1), (200, 1))
    expected = by_numpy(np.asarray(a, np.float64), np.asarray(b, np.float64))
    np.testing.assert_allclose(independence_test(key, a, b).statistic, expected, rtol=2e-3)


def test_by_chance_p_is_uniform(key):
    def attempt(key):
        key_s, key_z, key_test = jax.random.split(key, 3)
        s = draw_latents(key_s, 64)
        return independence_test(key_test, dropped(key_z, s), s[:, 2:3]).p_value

    p = np.sort(jax.jit(jax.vmap(attempt))(jax.random.split(key, 200)))
    # the distance of Kolmogorov and Smirnov: 0.115 is exceeded one time in a hundred
    assert np.abs(p - np.arange(1, 201) / 200).max() < 0.115
    assert (p >= LEAST * 0.999).all()


def test_dependence_without_correlation_is_seen(key):
    a = jax.random.normal(key, (256, 1))
    assert abs(np.corrcoef(a[:, 0], a[:, 0] ** 2)[0, 1]) < 0.2
    np.testing.assert_allclose(independence_test(key, a, a**2).p_value, LEAST, rtol=1e-5)


def test_by_itself_the_third_latent_is_told_unless_dropped(key):
    s = draw_latents(key, 256)
    for name, encoder in ENCODERS.items():
        p = independence_test(key, encoder(key, s), s[:, 2:3]).p_value
        assert (p > 0.05) == (name == "dropped"), name


@pytest.mark.parametrize(
    "probe, names",
    [
        (ridge, list(ENCODERS)),
        pytest.param(mlp, ["warp", "leaked"], marks=pytest.mark.slow),
    ],
)
def test_only_the_leak_tells_of_the_biased_latent_what_others_do_not(probe, names, key):
    for name in names:
        keys = jax.random.split(key, 3)
        p = [of_biased(one, probe, *draw(one, ENCODERS[name], FIT, TEST)) for one in keys]
        if name == "leaked":
            np.testing.assert_allclose(p, LEAST, rtol=1e-5)
        else:
            assert np.median(p) > 0.05, name


def test_given_the_unbiased_latents_p_is_uniform_by_chance(key):
    attempt = lambda key: of_biased(key, ridge, *draw(key, entangled, FIT, 64))
    p = np.sort(jax.jit(jax.vmap(attempt))(jax.random.split(key, 100)))
    assert np.abs(p - np.arange(1, 101) / 100).max() < 0.163  # exceeded one time in a hundred


def test_noise_whose_scale_is_shared_poses_as_dependence(key):
    """The limit that the docstring names: independent given s1, yet residuals are not."""
    keys = jax.random.split(key, 2)
    s = jax.tree.map(jnp.exp, draw(key, ENCODERS["identity"], FIT, TEST)[0])
    scaled = lambda key: jax.tree.map(
        lambda part: part[:, :1] ** 2 * jax.random.normal(key, (len(part), 1)), s
    )
    result = residual_independence(key, ridge, scaled(keys[0]), scaled(keys[1]), given=given(s))
    assert result.p_value < 0.05


def test_it_is_blind_to_rotation_shift_and_scale(key):
    s = draw_latents(key, 256)
    z = leaked(key, s)
    turn, _ = jnp.linalg.qr(jax.random.normal(key, (3, 3)))
    alone, turned = (independence_test(key, rows, s[:, 3:]) for rows in (z, 5 * z @ turn + 7))
    np.testing.assert_allclose(turned.statistic, alone.statistic, rtol=1e-3)


def test_what_is_constant_is_independent(key):
    s = draw_latents(key, 64)
    statistic, p = independence_test(key, jnp.full((64, 2), 0.3), s)
    assert statistic == 0
    assert p == 1


def test_a_rare_label_has_a_kernel(key):
    rare = jnp.zeros((256, 1)).at[:32].set(1.0)
    np.testing.assert_allclose(independence_test(key, rare, rare).p_value, LEAST, rtol=1e-5)
