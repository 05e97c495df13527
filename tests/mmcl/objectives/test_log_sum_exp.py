import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.objectives import log_sum_exp as log_sum_exp_module
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.similarities import negative_squared_distance

N, M, K = 9, 7, 3


def dense(left, right, where, skip_itself):
    """The definition, differentiated automatically."""
    products = left @ right.T
    takes_part = jnp.broadcast_to(where[None], products.shape)
    if skip_itself:
        takes_part = takes_part & ~jnp.eye(len(left), dtype=bool)
    return jax.nn.logsumexp(products, axis=1, where=takes_part)


@pytest.fixture(params=["one block", "blocks"])
def block_sizes(request, monkeypatch):
    """One block, and blocks of two rows or of one, the last of which is not full."""
    if request.param == "blocks":
        monkeypatch.setattr(log_sum_exp_module, "block_size", lambda: 2 * N)


@pytest.mark.parametrize("skip_itself", [True, False])
def test_value_and_gradient_are_those_of_the_definition(key, skip_itself, block_sizes):
    left, right = jax.random.normal(key, (2, N, K))
    right = right if skip_itself else right[:M]
    where = jnp.arange(len(right)) != 5
    weights = jax.random.normal(jax.random.fold_in(key, 1), (N,))
    of = lambda function: lambda *pair: jnp.sum(weights * function(*pair, where, skip_itself))
    value, grads = jax.jit(jax.value_and_grad(of(log_sum_exp), (0, 1)))(left, right)
    expected, expected_grads = jax.jit(jax.value_and_grad(of(dense), (0, 1)))(left, right)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    for grad, expected_grad in zip(grads, expected_grads, strict=True):
        np.testing.assert_allclose(grad, expected_grad, atol=1e-5)


@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_blocks_agree_with_one_block_near_and_far_from_the_origin(key, shift, monkeypatch):
    rows = jax.random.normal(key, (100, 5)) + shift
    where = jnp.ones(100, bool)

    def total(rows):
        return log_sum_exp(*negative_squared_distance(rows, rows), where, True).mean()

    value, gradient = jax.jit(jax.value_and_grad(total))(rows)
    monkeypatch.setattr(log_sum_exp_module, "block_size", lambda: 700)
    in_blocks, gradient_in_blocks = jax.jit(jax.value_and_grad(total))(rows)
    np.testing.assert_allclose(in_blocks, value, atol=1e-5)
    np.testing.assert_allclose(gradient_in_blocks, gradient, atol=1e-5)


def test_no_array_is_larger_than_a_block(monkeypatch):
    """The largest array in the program of the value and its gradient is a block."""
    rows = jnp.zeros((1024, 2))
    where = jnp.ones(1024, bool)

    def largest():
        both = jax.value_and_grad(lambda rows: log_sum_exp(rows, rows, where, True).sum())
        return max(_sizes(jax.make_jaxpr(both)(rows).jaxpr))

    assert largest() == 1024**2
    monkeypatch.setattr(log_sum_exp_module, "block_size", lambda: 4096)
    assert largest() <= 4096


def _sizes(jaxpr):
    """Yields the sizes of all arrays that a program and its inner programs compute."""
    for equation in jaxpr.eqns:
        yield from (variable.aval.size for variable in equation.outvars)
        for part in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "eqns")):
            inner = getattr(part, "jaxpr", part)
            if hasattr(inner, "eqns"):
                yield from _sizes(inner)


def test_an_empty_sum_is_minus_infinity_with_no_gradient(key, block_sizes):
    rows = jax.random.normal(key, (N, 2))
    nothing = jnp.zeros(N, bool)
    total = lambda rows: jnp.exp(log_sum_exp(rows, rows, nothing, True)).sum()
    value, gradient = jax.jit(jax.value_and_grad(total))(rows)
    assert value == 0
    np.testing.assert_array_equal(gradient, 0)


def test_vmap_agrees_with_single_calls(key, block_sizes):
    rows = jax.random.normal(key, (3, N, 2))
    where = jnp.ones(N, bool)
    grad = jax.jit(jax.grad(lambda rows: log_sum_exp(rows, rows, where, True).sum()))
    for together, alone in zip(jax.jit(jax.vmap(grad))(rows), rows, strict=True):
        np.testing.assert_allclose(together, grad(alone), atol=1e-5)


def test_the_largest_term_counts_where_exp_underflows(block_sizes):
    """Points are a thousand apart: the sum is its largest term and has a gradient."""
    rows = 1000 * jnp.eye(4, 3)
    where = jnp.ones(4, bool)

    def total(rows):
        return log_sum_exp(*negative_squared_distance(rows, rows), where, True).sum()

    value, gradient = jax.jit(jax.value_and_grad(total))(rows)
    np.testing.assert_allclose(value, -3 * 1e6 - 1e6 + np.log(3), rtol=1e-5)
    assert (jnp.abs(gradient).max(1) > 100).all()
