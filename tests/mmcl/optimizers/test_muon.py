import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from optax.contrib import muon

from mmcl.optimizers.muon import (
    COEFFICIENTS,
    ITERATIONS,
    MOMENTUM,
    REFRESH_EVERY,
    orthogonalizing_factor,
    scale_by_muon,
)
from mmcl.optimizers.registry import OPTIMIZERS

SHAPES = [(6, 40), (40, 6), (7, 7), (3, 1)]


def newton_schulz(matrix):
    """The iteration on the matrix itself, in float64 NumPy."""
    a, b, c = COEFFICIENTS
    rows = np.asarray(matrix, np.float64)
    for _ in range(ITERATIONS):
        gram = rows @ rows.T
        rows = a * rows + (b * gram + c * gram @ gram) @ rows
    return rows


@pytest.mark.parametrize("shape", SHAPES)
def test_the_factor_agrees_with_the_iteration(shape, key):
    matrix = jax.random.normal(key, shape)
    matrix /= jnp.linalg.norm(matrix)
    factor = orthogonalizing_factor(matrix)
    product = matrix @ factor if shape[0] > shape[1] else factor @ matrix
    np.testing.assert_allclose(product, newton_schulz(matrix), atol=2e-5)


def test_zero_rows_and_a_zero_matrix_stay_zero(key):
    narrow = jax.random.normal(key, (2, 9)) / 5
    wide = jnp.pad(narrow, ((0, 3), (0, 0)))
    product = orthogonalizing_factor(wide) @ wide
    np.testing.assert_allclose(product[:2], orthogonalizing_factor(narrow) @ narrow, atol=1e-5)
    assert not np.any(product[2:])
    zero = jnp.zeros((4, 3))
    assert not np.any(zero @ orthogonalizing_factor(zero))


def test_updates_agree_with_optax_if_the_gradient_is_constant(key):
    """Then a reused factor equals a newly computed one."""
    param = jax.random.normal(key, (5, 12))
    optimizer, reference = OPTIMIZERS["muon"](0.1), muon(0.1, ns_steps=ITERATIONS, beta=MOMENTUM)
    params = {"kernel": param, "bias": jnp.ones(3)}
    state, reference_state = optimizer.init(params), reference.init(params)
    update_of, reference_update_of = jax.jit(optimizer.update), jax.jit(reference.update)
    for step in range(2 * REFRESH_EVERY):
        update, state = update_of(params, state, params, step=step)
        expected, reference_state = reference_update_of(params, reference_state, params)
        for name in params:
            np.testing.assert_allclose(update[name], expected[name], atol=1e-5)


def test_a_factor_is_reused_for_some_steps(key):
    gradients = jax.random.normal(key, (REFRESH_EVERY + 1, 4, 6))
    optimizer = scale_by_muon()
    state, factors = optimizer.init(gradients[0]), []
    update = jax.jit(optimizer.update)
    for step, grad in enumerate(gradients):
        _, state = update(grad, state, step=step)
        factors.append(np.asarray(state.factor))
    for factor in factors[1:REFRESH_EVERY]:
        np.testing.assert_array_equal(factor, factors[0])
    assert np.abs(factors[-1] - factors[0]).max() > 1e-3


def test_only_matrices_are_orthogonalised(key):
    params = {"kernel": jax.random.normal(key, (3, 4)), "bias": jnp.arange(3.0)}
    optimizer = OPTIMIZERS["muon"](0.1)
    update, _ = optimizer.update(params, optimizer.init(params), params, step=0)
    adam = optax.nadam(0.1)
    expected, _ = adam.update(params["bias"], adam.init(params["bias"]), params["bias"])
    np.testing.assert_allclose(update["bias"], expected, rtol=1e-6)
