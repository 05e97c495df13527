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
SMALLEST_P = 1 / 200  # if no permutation reaches the statistic


def given(s):
    return jax.tree.map(lambda part: part[:, :UNBIASED], s)


@partial(jax.jit, static_argnums=1)
def p_of_biased(key, probe, s, z):
    """p-value of the dependence of z and s4 given the unbiased latents."""
    key = jax.random.fold_in(key, 4)  # `draw` uses fold_in(key, 0) to fold_in(key, 3)
    return residual_independence(key, probe, z, column(s, 3), given=given(s)).p_value


def by_numpy(a, b):
    """The statistic in float64, from its definition with centring matrices."""

    def kernel(rows):
        squares = ((rows[:, None] - rows[None]) ** 2).sum(-1)
        return np.exp(-squares / (2 * np.median(squares)))

    centre = np.eye(len(a)) - 1 / len(a)
    return np.trace(kernel(a) @ centre @ kernel(b) @ centre) / len(a) ** 2


def test_the_statistic_agrees_with_numpy_in_float64(key):
    a = 1e3 + jax.random.normal(key, (200, 3))  # far from the origin
    b = a[:, :1] ** 2 / 1e3 + jax.random.normal(jax.random.fold_in(key, 1), (200, 1))
    expected = by_numpy(np.asarray(a, np.float64), np.asarray(b, np.float64))
    np.testing.assert_allclose(independence_test(key, a, b).statistic, expected, rtol=2e-3)


def test_p_is_uniform_for_independent_variables(key):
    def attempt(key):
        key_s, key_z, key_test = jax.random.split(key, 3)
        s = draw_latents(key_s, 64)
        return independence_test(key_test, dropped(key_z, s), s[:, 2:3]).p_value

    p = np.sort(jax.jit(jax.vmap(attempt))(jax.random.split(key, 200)))
    # Kolmogorov-Smirnov distance: 0.115 is exceeded with probability 0.01
    assert np.abs(p - np.arange(1, 201) / 200).max() < 0.115
    assert (p >= SMALLEST_P * 0.999).all()


def test_dependence_without_correlation_is_detected(key):
    a = jax.random.normal(key, (256, 1))
    assert abs(np.corrcoef(a[:, 0], a[:, 0] ** 2)[0, 1]) < 0.2
    np.testing.assert_allclose(independence_test(key, a, a**2).p_value, SMALLEST_P, rtol=1e-5)


def test_representations_depend_on_the_third_latent_unless_dropped(key):
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
def test_only_the_leak_depends_on_the_biased_latent_given_the_others(probe, names, key):
    for name in names:
        keys = jax.random.split(key, 3)
        p = [p_of_biased(key, probe, *draw(key, ENCODERS[name], FIT, TEST)) for key in keys]
        if name == "leaked":
            np.testing.assert_allclose(p, SMALLEST_P, rtol=1e-5)
        else:
            assert np.median(p) > 0.05, name


def test_p_is_uniform_for_residuals_given_the_unbiased_latents(key):
    attempt = lambda key: p_of_biased(key, ridge, *draw(key, entangled, FIT, 64))
    p = np.sort(jax.jit(jax.vmap(attempt))(jax.random.split(key, 100)))
    assert np.abs(p - np.arange(1, 101) / 100).max() < 0.163  # exceeded with probability 0.01


def test_noise_with_a_common_scale_is_mistaken_for_dependence(key):
    """A documented limit: both are independent given s1, but their residuals are not."""
    keys = jax.random.split(key, 2)
    s = jax.tree.map(jnp.exp, draw(key, ENCODERS["identity"], FIT, TEST)[0])
    scaled = lambda key: jax.tree.map(
        lambda part: part[:, :1] ** 2 * jax.random.normal(key, (len(part), 1)), s
    )
    result = residual_independence(key, ridge, scaled(keys[0]), scaled(keys[1]), given=given(s))
    assert result.p_value < 0.05


def test_the_statistic_is_invariant_to_rotation_shift_and_scale(key):
    s = draw_latents(key, 256)
    z = leaked(key, s)
    rotation, _ = jnp.linalg.qr(jax.random.normal(key, (3, 3)))
    mapped = 5 * z @ rotation + 7
    expected, measured = (independence_test(key, rows, s[:, 3:]) for rows in (z, mapped))
    np.testing.assert_allclose(measured.statistic, expected.statistic, rtol=1e-3)


def test_a_constant_is_independent(key):
    s = draw_latents(key, 64)
    statistic, p = independence_test(key, jnp.full((64, 2), 0.3), s)
    assert statistic == 0
    assert p == 1


def test_a_rare_label_has_a_bandwidth(key):
    rare = jnp.zeros((256, 1)).at[:32].set(1.0)
    np.testing.assert_allclose(independence_test(key, rare, rare).p_value, SMALLEST_P, rtol=1e-5)
