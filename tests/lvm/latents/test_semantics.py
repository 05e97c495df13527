import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.latents.semantics import (
    draw_semantics,
    sample_semantics,
    solve_semantics,
    wishart_cholesky,
)

N = 6


def draw(key, name):
    return draw_semantics(key, N, jnp.int32(list(lvm.DEPENDENCES).index(name)))


def test_independent_semantics_are_standard_normal(key):
    law = draw(key, "independent")
    np.testing.assert_array_equal(lvm.covariance(law), np.eye(N))
    noise = jax.random.normal(key, (7, N))
    np.testing.assert_array_equal(solve_semantics(law, noise), noise)


@pytest.mark.parametrize("name", ["independent", "dependent", "linear_scm"])
def test_covariance_is_that_of_the_samples(key, name):
    law = draw(key, name)
    cov = lvm.covariance(law)
    scale = np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    sampled = np.cov(sample_semantics(key, law, 40_000).T)
    np.testing.assert_allclose(sampled / scale, cov / scale, atol=0.03)


@pytest.mark.parametrize("name", lvm.DEPENDENCES)
def test_semantics_satisfy_their_structural_equations(key, name):
    law = draw(key, name)
    noise = jax.random.normal(key, (50, N))
    s = np.asarray(solve_semantics(law, noise), np.float64)
    mechanism = (1 - law.curve) * s + law.curve * np.sin(2 * s)
    expected = mechanism @ np.asarray(law.weights).T + np.asarray(law.scale) * np.asarray(noise)
    np.testing.assert_allclose(s, expected, atol=1e-4)


def test_graphs_have_no_cycle_and_some_edges(key):
    laws = jax.jit(jax.vmap(lambda k: draw(k, "linear_scm")))(jax.random.split(key, 50))
    for edges in np.asarray(laws.weights != 0, int):
        assert not np.linalg.matrix_power(edges, N).any()
        assert edges.any()


def test_nonlinear_dependence_is_not_linear(key):
    law = draw(key, "nonlinear_scm")
    s = sample_semantics(key, law, 5000)
    linear = sample_semantics(key, law._replace(curve=jnp.zeros(())), 5000)
    assert float(jnp.abs(s - linear).max()) > 1


def test_wishart_factor_has_the_mean_of_its_law(key):
    roots = jax.vmap(lambda k: wishart_cholesky(k, N))(jax.random.split(key, 4000))
    mean = (roots @ jnp.swapaxes(roots, 1, 2)).mean(0)
    np.testing.assert_allclose(mean, N * np.eye(N), atol=0.25)
    assert (jnp.diagonal(roots, axis1=1, axis2=2) > 0).all()
    np.testing.assert_array_equal(roots, jnp.tril(roots))


def test_traced_dependence_equals_static_one(key):
    traced = jax.jit(jax.vmap(lambda d: draw_semantics(key, N, d)))(
        jnp.arange(len(lvm.DEPENDENCES))
    )
    for index, name in enumerate(lvm.DEPENDENCES):
        selected = jax.tree.map(lambda leaf, index=index: leaf[index], traced)
        jax.tree.map(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6),
            selected,
            draw(key, name),
        )


def test_gaussian_semantics_have_the_given_covariance():
    cov = np.array([[2.0, 0.6, 0.0], [0.6, 1.0, -0.3], [0.0, -0.3, 0.5]])
    np.testing.assert_allclose(lvm.covariance(lvm.gaussian_semantics(cov)), cov, atol=1e-6)


@pytest.mark.parametrize(
    ("cov", "message"),
    [
        ([[1.0, 2.0, 0.0]], r"shape \(1, 3\): allowed is a square matrix"),
        ([[1.0, 0.5], [0.4, 1.0]], "not symmetric"),
        ([[1.0, 1.0], [1.0, 1.0]], "not positive definite"),
        ([[1.0, 2.0], [2.0, 1.0]], "not positive definite: its least eigenvalue is -1"),
        ([[1.0, np.nan], [np.nan, 1.0]], "not finite"),
    ],
)
def test_invalid_covariances_are_refused(cov, message):
    with pytest.raises(ValueError, match=message):
        lvm.gaussian_semantics(np.array(cov))
