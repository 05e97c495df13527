"""Noise laws have mean 0, variance 1 and the quantiles of scipy."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

import lvm
from lvm.latents.switch import switch_by_name

NORMAL = np.array([-5.0, -2.5, -1.0, -0.2, 0.0, 0.3, 1.0, 3.0, 5.0])
SCIPY_LAWS = {
    "gaussian": stats.norm(),
    "uniform": stats.uniform(-(3**0.5), 2 * 3**0.5),
    "laplace": stats.laplace(scale=0.5**0.5),
    "heavy_tailed": stats.t(4, scale=0.5**0.5),
}


@pytest.mark.parametrize("name", lvm.NOISE_LAWS)
def test_quantiles_are_those_of_the_law(name):
    measured = jax.jit(lvm.NOISE_LAWS[name])(np.float32(NORMAL[:, None]))[:, 0]
    law = SCIPY_LAWS[name]
    lower = law.ppf(stats.norm.cdf(-np.abs(NORMAL)))  # lower tails, for precision
    np.testing.assert_allclose(measured, -np.sign(NORMAL) * lower, rtol=2e-4, atol=1e-3)
    assert law.mean() == pytest.approx(0)
    assert law.var() == pytest.approx(1)


def test_a_traced_index_selects_a_compiled_law(key):
    normal = jax.random.normal(key, (6, 2))
    names = ("gaussian", "laplace", "heavy_tailed")
    select = lambda index: switch_by_name(lvm.NOISE_LAWS, names, index, normal)
    indices = jnp.array([list(lvm.NOISE_LAWS).index(name) for name in names])
    for name, selected in zip(names, jax.jit(jax.vmap(select))(indices), strict=True):
        expected = jax.jit(lvm.NOISE_LAWS[name])(normal)
        np.testing.assert_allclose(selected, expected, rtol=1e-6)


def test_an_index_that_is_not_compiled_is_refused(key):
    with pytest.raises(ValueError, match="'uniform' is not among the compiled: gaussian"):
        switch_by_name(lvm.NOISE_LAWS, ("gaussian",), 1, jax.random.normal(key, (2, 2)))


def test_semantics_and_replaced_captions_follow_the_noise_law(key):
    world = lvm.init_world(key, lvm.WorldSpec(3, 2, 2))
    bias = lvm.bias_from_indices(3, [1, 2, 3])
    sample = jax.jit(
        partial(lvm.sample_pairs, noise_law="uniform"),
        static_argnums=3,
        static_argnames="misalignment",
    )
    for kind, rate in (("noise", 0.0), ("shuffled", 1.0)):
        pairs = sample(key, world, bias, 20_000, noise_probability=rate, misalignment=kind)
        for s in map(np.asarray, (pairs.s, pairs.s_text)):
            assert np.abs(s).max() <= 3**0.5 + 1e-5
            np.testing.assert_allclose(s.var(0), 1, atol=0.03)
