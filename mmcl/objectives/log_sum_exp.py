"""Log-sum-exp of inner products, in blocks and with a custom gradient.

Every similarity of the objectives is an inner product of two rows (`similarities.Factors`), so one
function serves them all. Its gradient takes two matrix products with exp(products) and no further
pass over the pairs.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mmcl.precision import on_cpu

CPU_BLOCK, BLOCK = 2**20, 2**22  # products held at once; those of a CPU fit in its caches


def _log_sum_exp(
    left: Float[Array, "n k"],
    right: Float[Array, "m k"],
    where: Bool[Array, " m"],
    skip_itself: bool,
) -> Float[Array, " n"]:
    """Returns log Σ_j exp(⟨left_i, right_j⟩) over the j in `where`: float32 [n].

    An empty sum gives -inf. Memory is linear in n + m once n × m exceeds `block_size()`; then the
    gradient computes each block of products a second time.

    left, right: float32 [n, k] and [m, k].
    where:       bool [m], the j that take part.
    skip_itself: whether j = i takes no part; requires n = m.
    """
    return _forward(left, right, where, skip_itself)[0]


log_sum_exp = jax.custom_vjp(_log_sum_exp, nondiff_argnums=(3,))


def block_size() -> int:
    """Returns the largest number of products held at once."""
    return CPU_BLOCK if on_cpu() else BLOCK


def _forward(left, right, where, skip_itself):
    return _forward_in_blocks(left, right, where, skip_itself=skip_itself, size=block_size())


# inlined where a caller compiles; outside of jit the closures below would compile at every call
@partial(jax.jit, static_argnames=("skip_itself", "size"), inline=True)
def _forward_in_blocks(left, right, where, *, skip_itself: bool, size: int):
    def of_rows(rows):
        logits = _masked_products(rows, right, where, skip_itself)
        largest = _finite(logits.max(1))
        kernel = jnp.exp(logits - largest[:, None])
        return kernel, jnp.log(kernel.sum(1)) + largest

    rows = _with_indices(left)
    if len(left) * len(right) <= size:
        kernel, values = of_rows(rows)
        return values, (left, right, where, values, kernel)
    blocks = jax.lax.map(lambda block: of_rows(block)[1], _in_blocks(rows, right, size))
    values = blocks.ravel()[: len(left)]
    return values, (left, right, where, values, None)


def _backward(skip_itself, residuals, cotangent):
    size = block_size()
    return *_backward_in_blocks(residuals, cotangent, skip_itself=skip_itself, size=size), None


@partial(jax.jit, static_argnames=("skip_itself", "size"), inline=True)
def _backward_in_blocks(residuals, cotangent, *, skip_itself: bool, size: int):
    left, right, where, values, kernel = residuals
    if kernel is not None:
        total = kernel.sum(1)
        weight = cotangent / jnp.where(total > 0, total, 1.0)
        return _gradients(left, right, kernel, weight)

    def of_block(grad_right, block):
        rows, value, weight = block
        logits = _masked_products(rows, right, where, skip_itself)
        kernel = jnp.exp(logits - _finite(value)[:, None])
        grad_rows, grad_right_of_block = _gradients(rows[0], right, kernel, weight)
        return grad_right + grad_right_of_block, grad_rows

    blocks = _in_blocks((_with_indices(left), values, cotangent), right, size)
    grad_right, grad_left = jax.lax.scan(of_block, jnp.zeros_like(right), blocks)
    return grad_left.reshape(-1, left.shape[1])[: len(left)], grad_right


log_sum_exp.defvjp(_forward, _backward)


def _masked_products(rows, right, where, skip_itself):
    left, indices = rows
    takes_part = where[None]
    if skip_itself:
        takes_part = takes_part & (indices[:, None] != jnp.arange(len(right))[None])
    return jnp.where(takes_part, _product(left, right.T), -jnp.inf)


def _gradients(left, right, kernel, weight):
    # the barrier keeps XLA from turning kernel.T into a left factor, which is slow on a CPU
    columns = jax.lax.optimization_barrier(_product((weight[:, None] * left).T, kernel))
    return weight[:, None] * _product(kernel, right), columns.T


def _with_indices(left):
    return left, jnp.arange(len(left))


def _in_blocks(tree, right, size: int):
    """Reshapes leading axes [n, ...] to [blocks, rows, ...]; zeros fill up the last block."""
    rows = max(1, size // len(right))

    def split(leaf):
        missing = -len(leaf) % rows
        padded = jnp.pad(leaf, [(0, missing)] + [(0, 0)] * (leaf.ndim - 1))
        return padded.reshape(-1, rows, *leaf.shape[1:])

    return jax.tree.map(split, tree)


def _finite(values):
    return jnp.where(jnp.isfinite(values), values, 0.0)


def _product(left, right):
    return jnp.matmul(left, right, precision="float32")
