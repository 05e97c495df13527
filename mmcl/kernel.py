"""The Gaussian kernel sum behind the entropy estimate, with a gradient of its own.

The gradient of log Σ_j exp(-‖a_i - b_j‖²) needs no pass over the pairs but two matrix products with
the kernel, so nothing of the size of the kernel is written but the kernel itself.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def log_kernel_sum(
    a: Float[Array, "n d"],
    b: Float[Array, "m d"],
    where: Bool[Array, " m"],
    skip_itself: bool,
) -> Float[Array, " n"]:
    """log Σ_j exp(-‖a_i - b_j‖²) over the j of `where`, -inf if there is none: float32 [n].

    With `skip_itself` (then n = m) j = i takes no part. Both are centred first, so that far-off
    embeddings lose nothing.
    """
    return _forward(a, b, where, skip_itself)[0]


def _forward(a, b, where, skip_itself):
    centre = b.mean(0, keepdims=True)
    a, b = a - centre, b - centre
    one_a, one_b = jnp.ones_like(a[:, :1]), jnp.ones_like(b[:, :1])
    left = jnp.concatenate([2 * a, -one_a, -jnp.sum(a**2, 1, keepdims=True)], 1)
    right = jnp.concatenate([b, jnp.sum(b**2, 1, keepdims=True), one_b], 1)
    logits = jnp.minimum(_product(left, right.T), 0.0)  # -‖a_i - b_j‖² in one product
    takes_part = where[None] & ~jnp.eye(len(a), dtype=bool) if skip_itself else where[None]
    logits = jnp.where(takes_part, logits, -jnp.inf)
    largest = logits.max(1, keepdims=True)
    largest = jnp.where(jnp.isfinite(largest), largest, 0.0)
    kernel = jnp.exp(logits - largest)
    total = kernel.sum(1)
    return jnp.log(total) + largest[:, 0], (a, b, kernel, total)


def _backward(skip_itself, residuals, cotangent):
    del skip_itself
    a, b, kernel, total = residuals
    weight = (cotangent / jnp.where(total > 0, total, 1.0))[:, None]
    sums = _product(kernel, jnp.concatenate([b, jnp.ones_like(b[:, :1])], 1))
    back = _product(kernel.T, jnp.concatenate([weight * a, weight], 1))
    grad_a = 2 * weight * (sums[:, :-1] - sums[:, -1:] * a)
    grad_b = 2 * (back[:, :-1] - back[:, -1:] * b)
    return grad_a, grad_b, None


log_kernel_sum.defvjp(_forward, _backward)


def _product(left, right):
    return jnp.matmul(left, right, precision="float32")
