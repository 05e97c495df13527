"""Noise laws have mean 0, variance 1 and the quantiles of scipy."""

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
    measured = lvm.NOISE_LAWS[name](jnp.asarray(NORMAL, jnp.float32)[:, None])[:, 0]
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
        np.testing.assert_allclose(selected, lvm.NOISE_LAWS[name](normal), rtol=1e-6)


def test_an_index_that_is_not_compiled_is_refused(key):
    with pytest.raises(ValueError, match="'uniform' is not among the compiled: gaussian"):
        switch_by_name(lvm.NOISE_LAWS, ("gaussian",), 1, jax.random.normal(key, (2, 2)))


def test_semantics_and_replaced_captions_follow_the_noise_law(key):
    world = lvm.init_world(key, lvm.WorldSpec(3, 2, 2))
    bias = lvm.bias_from_indices(3, [1, 2, 3])
    for kind, rate in (("noise", 0.0), ("shuffled", 1.0)):
        pairs = lvm.sample_pairs(
            key,
            world,
            bias,
            20_000,
            noise_probability=rate,
            misalignment=kind,
            noise_law="uniform",
        )
        assert jnp.abs(pairs.s).max() <= 3**0.5 + 1e-5
        assert jnp.abs(pairs.s_text).max() <= 3**0.5 + 1e-5
        np.testing.assert_allclose(pairs.s.var(0), 1, atol=0.03)
        np.testing.assert_allclose(pairs.s_text.var(0), 1, atol=0.03)
