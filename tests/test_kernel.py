import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.kernel import log_kernel_sum


def dense(a, b, where, skip_itself):
    """The same from the definition, for automatic differentiation."""
    squares = jnp.sum((a[:, None] - b[None]) ** 2, -1)
    takes_part = jnp.broadcast_to(where[None], squares.shape)
    if skip_itself:
        takes_part = takes_part & ~jnp.eye(len(a), dtype=bool)
    return jax.nn.logsumexp(-squares, axis=1, where=takes_part)


@pytest.mark.parametrize("skip_itself", [True, False])
def test_value_and_gradient_are_those_of_the_definition(key, skip_itself):
    a, b = jax.random.normal(key, (2, 9, 3))
    if skip_itself:
        b = a
    where = jnp.arange(9) != 5
    weights = jax.random.normal(jax.random.fold_in(key, 1), (9,))
    of = lambda kernel: lambda a, b: jnp.sum(weights * kernel(a, b, where, skip_itself))
    value, grads = jax.value_and_grad(of(log_kernel_sum), (0, 1))(a, b)
    expected, expected_grads = jax.value_and_grad(of(dense), (0, 1))(a, b)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    for grad, expected_grad in zip(grads, expected_grads, strict=True):
        np.testing.assert_allclose(grad, expected_grad, atol=1e-5)


def test_an_empty_sum_is_minus_infinity_with_no_gradient(key):
    a = jax.random.normal(key, (4, 2))
    nothing = jnp.zeros(4, bool)
    value, gradient = jax.value_and_grad(
        lambda a: jnp.exp(log_kernel_sum(a, a, nothing, True)).sum()
    )(a)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_vmap_agrees_with_single_calls(key):
    a = jax.random.normal(key, (3, 6, 2))
    where = jnp.ones(6, bool)
    grad = jax.grad(lambda a: log_kernel_sum(a, a, where, True).sum())
    for together, alone in zip(jax.jit(jax.vmap(grad))(a), a, strict=True):
        np.testing.assert_allclose(together, grad(alone), atol=1e-5)


def test_where_exp_underflows_the_nearest_still_counts():
    """Points a thousand apart: the sum is its largest term, and its gradient is not lost."""
    a = 1000 * jnp.eye(4, 3)
    where = jnp.ones(4, bool)
    value, gradient = jax.value_and_grad(lambda a: log_kernel_sum(a, a, where, True).sum())(a)
    np.testing.assert_allclose(value, -3 * 1e6 - 1e6 + np.log(3), rtol=1e-5)
    assert (jnp.abs(gradient).max(1) > 100).all()
