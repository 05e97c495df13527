import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.encoders import mlp as mlp_module
from mmcl.encoders.mlp import apply_whitening, fit_whitening, mlp


@pytest.fixture
def observations(key):
    return jax.random.normal(key, (500, 4)) @ jnp.diag(jnp.array([1.0, 10.0, 0.1, 3.0])) + 50


def test_whitened_observations_have_zero_mean_and_unit_covariance(observations):
    white = apply_whitening(fit_whitening(observations), observations)
    np.testing.assert_allclose(white.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(4), atol=1e-2)


def test_whitening_of_a_constant_column_is_bounded(observations):
    observations = observations.at[:, 2].set(7.0)
    white = apply_whitening(fit_whitening(observations), observations)
    assert jnp.isfinite(white).all()
    assert float(jnp.abs(white).max()) < 20


def test_mlp_agrees_with_numpy(observations, key):
    encoder = mlp((8, 6), outputs=3, slope=0.1, whiten=True)
    params, stats = encoder.init(key, observations)
    hidden = np.asarray(observations - stats.mean[None], np.float64) @ np.asarray(stats.matrix)
    for layer in range(3):
        weights = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), params[f"Dense_{layer}"])
        hidden = hidden @ weights["kernel"] + weights["bias"]
        if layer < 2:
            hidden = np.where(hidden > 0, hidden, 0.1 * hidden)
    np.testing.assert_allclose(encoder.apply(params, stats, observations), hidden, atol=1e-4)


def test_blocks_of_rows_agree_with_one_block(observations, key, monkeypatch):
    encoder = mlp((8, 6), outputs=3, slope=0.1, whiten=True)
    params, stats = encoder.init(key, observations)
    square = lambda params: jnp.sum(encoder.train(params, stats, observations)[0] ** 2)
    value, grads = jax.jit(jax.value_and_grad(square))(params)
    monkeypatch.setattr(mlp_module, "CPU_BLOCK", 8 * 70)  # the last block is not full
    assert ("scan" in str(jax.make_jaxpr(square)(params))) == (jax.default_backend() == "cpu")
    in_blocks, grads_in_blocks = jax.jit(jax.value_and_grad(square))(params)
    np.testing.assert_allclose(in_blocks, value, rtol=1e-5)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, 1e-3, 1e-3), grads_in_blocks, grads)


def test_an_mlp_without_whitening_has_no_stats(observations, key):
    encoder = mlp((8,), outputs=2, slope=0.1, whiten=False)
    params, stats = encoder.init(key, observations)
    assert jax.tree.leaves(stats) == []
    assert encoder.apply(params, stats, observations).shape == (500, 2)


def test_training_does_not_change_the_whitening(observations, key):
    encoder = mlp((8,), outputs=2, slope=0.1, whiten=True)
    params, stats = encoder.init(key, observations)
    z, after = encoder.train(params, stats, observations[:9])
    np.testing.assert_array_equal(z, encoder.apply(params, stats, observations[:9]))
    assert after is stats
