"""Conditional means against regression in float64, quadrature and boosted trees."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.latents.conditional import gaussian_means, simulated_means
from lvm.latents.semantics import Semantics, draw_semantics, sample_semantics
from tests.optimised import OPTIMISED


def explained(s, means):
    """R² of each semantic."""
    return 1 - np.mean((s - means) ** 2, axis=0) / np.var(s, axis=0)


@pytest.mark.accelerator
@pytest.mark.parametrize("dependence", ["independent", "dependent", "linear_scm"])
@pytest.mark.parametrize("bits", [0, 0b1, 0b0110110101, 2**10 - 2, 2**10 - 1])
def test_linear_laws_give_the_regression_in_float64(dependence, bits, key):
    law = draw_semantics(key, 10, dependence)
    unbiased = (bits >> np.arange(10)) % 2 == 1
    s = np.asarray(sample_semantics(key, law, 50), np.float64)
    weights, scale = (np.asarray(part, np.float64) for part in (law.weights, law.scale))
    root = np.linalg.solve(np.eye(10) - weights, np.diag(scale))
    expected = s[:, unbiased] @ (root @ np.linalg.pinv(root[unbiased])).T
    expected[:, unbiased] = s[:, unbiased]
    measured = lvm.conditional_means(key, law, jnp.asarray(s, jnp.float32), jnp.asarray(unbiased))
    np.testing.assert_allclose(measured, expected, atol=2e-3 * np.abs(s).max())


@pytest.mark.accelerator
def test_a_cause_is_inferred_from_its_effect(key):
    """s2 = 2 sin(2 s1) + ε: E[s1 | s2] by quadrature, E[s2 | s1] in closed form."""
    law = Semantics(jnp.array([[0.0, 0.0], [2.0, 0.0]]), jnp.ones(2), jnp.ones(()))
    s = sample_semantics(key, law, 40)
    means = lambda unbiased: lvm.conditional_means(
        key, law, s, jnp.array(unbiased), particles=20_000
    )
    np.testing.assert_allclose(
        means([True, False])[:, 1], 2 * np.sin(2 * np.asarray(s[:, 0])), atol=0.04
    )
    grid = np.linspace(-6, 6, 4001)
    density = np.exp(-(grid**2) / 2 - (np.asarray(s[:, 1:]) - 2 * np.sin(2 * grid)) ** 2 / 2)
    expected = (density @ grid) / density.sum(1)
    np.testing.assert_allclose(means([False, True])[:, 0], expected, atol=0.04)


@pytest.mark.parametrize("means", [gaussian_means, partial(simulated_means, jax.random.key(0))])
def test_products_are_float32_on_every_device(means, key):
    law = draw_semantics(key, 3, "dependent")
    with jax.default_matmul_precision("bfloat16"):  # as the caller's setting
        text = jax.jit(means).lower(law, jnp.zeros((4, 3)), jnp.ones(3, bool)).as_text()
    products = [line for line in text.splitlines() if "dot_general" in line]
    assert products and not any("DEFAULT" in line for line in products)


def test_unbiased_semantics_are_returned_unchanged(key):
    law = draw_semantics(key, 5, "nonlinear_scm")
    s = sample_semantics(key, law, 20)
    unbiased = jnp.array([True, False, True, True, False])
    means = lvm.conditional_means(key, law, s, unbiased, particles=256)
    np.testing.assert_array_equal(means[:, unbiased], s[:, unbiased])
    assert np.isfinite(means).all()
    everything = lvm.conditional_means(key, law, s, jnp.ones(5, bool), particles=256)
    np.testing.assert_array_equal(everything, s)


def test_without_unbiased_semantics_the_means_are_constant(key):
    law = draw_semantics(key, 5, "nonlinear_scm")
    s = sample_semantics(key, law, 20)
    means = lvm.conditional_means(key, law, s, jnp.zeros(5, bool), particles=256)
    np.testing.assert_allclose(means, jnp.broadcast_to(means[:1], means.shape), atol=1e-5)


@pytest.mark.parametrize("seed", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_nonlinear_laws_are_explained_no_worse_than_by_boosted_trees(seed, key):
    """Six of ten semantics kept; trees are fitted on 20,480 rows and tested on others."""
    # imported here: a device that runs the marked tests may lack it
    from sklearn.ensemble import HistGradientBoostingRegressor  # noqa: PLC0415

    law = draw_semantics(jax.random.key(seed), 10, "nonlinear_scm")
    unbiased = np.isin(np.arange(10), [0, 1, 4, 5, 8, 9])
    s = np.asarray(sample_semantics(key, law, 20480 + 4096))
    fit, test = s[:20480], s[20480:]
    means = jax.jit(lvm.conditional_means, compiler_options=OPTIMISED)(key, law, test, unbiased)
    for target in np.flatnonzero(~unbiased):
        trees = HistGradientBoostingRegressor(random_state=0).fit(fit[:, unbiased], fit[:, target])
        by_trees = explained(test[:, [target]], trees.predict(test[:, unbiased])[:, None])
        assert explained(test, np.asarray(means))[target] > by_trees[0] - 0.005
