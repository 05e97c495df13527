"""Output spaces: their ranges, and that masked columns take no part."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.output_spaces import OUTPUT_SPACES, cube, free, sphere

MASK = jnp.array([True, False, True, True])


@pytest.fixture
def outputs(key):
    return 3 * jax.random.normal(key, (8, 4))


@pytest.mark.parametrize("name", OUTPUT_SPACES)
def test_masked_columns_are_zero_and_change_nothing(outputs, name):
    space = OUTPUT_SPACES[name]
    z = space(outputs, MASK)
    np.testing.assert_array_equal(z[:, 1], 0)
    small = space(outputs[:, MASK], jnp.ones(3, bool))
    np.testing.assert_allclose(z[:, MASK], small, rtol=1e-6)
    gradient = jax.grad(lambda a: jnp.sum(space(a, MASK) ** 3))(outputs)
    np.testing.assert_array_equal(gradient[:, 1], 0)


def test_representations_are_in_their_space(outputs):
    np.testing.assert_array_equal(free(outputs, MASK)[:, 0], outputs[:, 0])
    np.testing.assert_allclose(jnp.linalg.norm(sphere(outputs, MASK), axis=1), 1, rtol=1e-6)
    inside = cube(outputs, MASK)[:, MASK]
    assert ((inside > 0) & (inside < 1)).all()
    np.testing.assert_allclose(jnp.log(inside / (1 - inside)), outputs[:, MASK], atol=1e-4)


def test_a_row_of_zeros_stays_zero_with_a_finite_gradient():
    zeros = jnp.zeros((2, 4))
    np.testing.assert_array_equal(sphere(zeros, MASK), 0)
    gradient = jax.grad(lambda a: jnp.sum(sphere(a, MASK)))(zeros)
    assert jnp.isfinite(gradient).all()
