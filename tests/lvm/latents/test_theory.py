import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import lvm


def wishart(seed, n=10):
    root = np.random.default_rng(seed).normal(size=(n, n))
    return root @ root.T


def reference(cov, unbiased):
    """Attainable R² in float64, by least squares on a matrix square root of the covariance."""
    if not unbiased.any():
        return np.zeros(len(cov))
    root = np.linalg.cholesky(cov)
    predicted = root @ np.linalg.pinv(root[unbiased]) @ root[unbiased]
    return (predicted**2).sum(1) / np.diag(cov)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2**10 - 1))
def test_closed_form_equals_least_squares_in_float64(seed, bits):
    cov = wishart(seed)
    unbiased = (bits >> np.arange(10)) % 2 == 1
    measured = lvm.attainable_r2(jnp.asarray(cov, jnp.float32), jnp.asarray(unbiased))
    np.testing.assert_allclose(measured, reference(cov, unbiased), atol=5e-3)


def test_independent_semantics_attain_1_or_0():
    unbiased = jnp.array([True, False, True])
    np.testing.assert_array_equal(lvm.attainable_r2(jnp.eye(3), unbiased), [1, 0, 1])


def test_two_correlated_semantics_attain_their_squared_correlation():
    cov = jnp.array([[4.0, 1.2], [1.2, 1.0]])
    attainable = lvm.attainable_r2(cov, jnp.array([True, False]))
    np.testing.assert_allclose(attainable, [1, 0.36], rtol=1e-6)


def test_without_unbiased_semantics_all_attain_0():
    attainable = lvm.attainable_r2(jnp.asarray(wishart(0), jnp.float32), jnp.zeros(10, bool))
    np.testing.assert_array_equal(attainable, np.zeros(10))


def test_more_unbiased_semantics_never_attain_less():
    cov = jnp.asarray(wishart(3), jnp.float32)
    masks = jnp.arange(10)[None] < jnp.arange(11)[:, None]
    scores = jax.vmap(lvm.attainable_r2, in_axes=(None, 0))(cov, masks)
    assert (jnp.diff(scores, axis=0) > -1e-3).all()
