"""Properties common to all objectives; for degenerate input see test_degenerate_input.py."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.modalities import Modalities
from mmcl.objectives.registry import OBJECTIVES
from tests.mmcl.objectives.compiled import ALTERNATIVES, D, N, value, value_and_gradient


@pytest.fixture(params=ALTERNATIVES)
def objective(request):
    return request.param


def test_masked_pairs_change_nothing_whatever_their_values(z, objective):
    where = jnp.arange(N) % 2 == 0
    small = jax.tree.map(lambda leaf: leaf[::2], z)
    spoilt = jax.tree.map(lambda leaf: jnp.where(where[:, None], leaf, 1e6), z)
    expected, grads_small = value_and_gradient(objective, small)
    for pairs in (z, spoilt):
        measured, grads = value_and_gradient(objective, pairs, where)
        np.testing.assert_allclose(measured, expected, rtol=1e-5)
        for a, b in zip(grads, grads_small, strict=True):
            np.testing.assert_allclose(a[::2], b, rtol=1e-3, atol=1e-5)
            np.testing.assert_array_equal(a[1::2], 0)


def test_an_empty_mask_gives_zero_and_a_zero_gradient(z, objective):
    measured, grads = value_and_gradient(objective, z, jnp.zeros(N, bool))
    assert measured == 0
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), grads)


def test_order_of_pairs_and_of_columns_does_not_matter(z, objective):
    expected = value(objective, z)
    for reverse in (lambda leaf: leaf[::-1], lambda leaf: leaf[:, ::-1]):
        measured = value(objective, jax.tree.map(reverse, z))
        np.testing.assert_allclose(measured, expected, rtol=1e-4)


def test_aligned_and_spread_representations_are_best(key, objective):
    """Better than wrong pairs, noise, rows close to a point or a line, and a repeated column."""
    x, noise = jax.random.normal(key, (2, N, D))
    best = value(objective, Modalities(x, x))
    line = x.at[:, 1:].set(0.01 * noise[:, 1:])
    repeated = jnp.repeat(x[:, :1], D, axis=1)
    worse = (x, x[::-1]), (x, x + noise), (0.01 * noise, 0.01 * x), (line, line[::-1])
    for pair in (*worse, (repeated, repeated)):
        assert value(objective, Modalities(*pair)) > best


def test_jit_vmap_and_grad_agree(z, objective):
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), z)
    function = lambda z: OBJECTIVES[objective].function(z, 1.0)
    values, grads = jax.jit(jax.vmap(jax.value_and_grad(function)))(stacked)
    for index, scale in enumerate((1, 2)):
        scaled = jax.tree.map(lambda leaf, scale=scale: scale * leaf, z)
        expected, single = value_and_gradient(objective, scaled)
        np.testing.assert_allclose(values[index], expected, rtol=1e-5)
        np.testing.assert_allclose(grads.x[index], single.x, rtol=1e-3, atol=1e-5)
