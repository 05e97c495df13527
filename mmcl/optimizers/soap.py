"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., arXiv 2409.11321).

If gradients are mostly noise, as with one unbiased latent and nine distorted ones, it needs far
fewer steps than Adam or Muon.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

B1, B2, EPS = 0.9, 0.95, 1e-8
REFRESH_EVERY = 10  # steps between two updates of the eigenbases
MAX_SIZE = 1024  # of an axis that has an eigenbasis; the cost grows with its cube


class Moments(NamedTuple):
    """State of SOAP for one parameter; `grams` and `bases` have one matrix per axis.

    mean:   running mean of the gradient.
    square: running mean of the squared gradient in the eigenbases.
    grams:  running means of G Gᵀ [m, m] and Gᵀ G [n, n] for a weight [m, n], None for an axis
            longer than `MAX_SIZE`; () for a vector or a convolution.
    bases:  their eigenvectors as columns, largest eigenvalue first; the identity before the first
            update.
    """

    mean: Float[Array, "..."]
    square: Float[Array, "..."]
    grams: tuple[Array | None, ...]
    bases: tuple[Array | None, ...]


def scale_by_soap() -> optax.GradientTransformationExtraArgs:
    """Returns SOAP for matrices and Adam for all other parameters.

    `update` takes the keyword `step`, int32 [], counted from 0. It should not be batched under
    vmap: with a batched step the bases are updated at every step.
    """

    def init(params):
        return jax.tree.map(_initial_moments, params)

    def update(grads, state, params=None, **extra):
        del params
        step = extra["step"]
        state = jax.tree.map(lambda grad, moments: _accumulate(grad, moments, step), grads, state)
        return jax.tree.map(lambda _, moments: _direction(moments, step), grads, state), state

    return optax.GradientTransformationExtraArgs(init, update)


def _initial_moments(param) -> Moments:
    zero = jnp.zeros_like(param)
    sizes = param.shape if param.ndim == 2 else ()
    per_axis = lambda make: tuple(make(size) if size <= MAX_SIZE else None for size in sizes)
    grams = per_axis(lambda size: jnp.zeros((size, size), param.dtype))
    bases = per_axis(lambda size: jnp.eye(size, dtype=param.dtype))
    return Moments(zero, zero, grams, bases)


# inlined where a caller compiles; outside of jit the closures below would compile at every call
@partial(jax.jit, inline=True)
def _accumulate(grad, moments: Moments, step) -> Moments:
    grams, bases = moments.grams, moments.bases
    if grams:
        grams = (_blend_gram(grams[0], grad), _blend_gram(grams[1], grad.T))
        reuse = lambda grams, bases, step: bases
        refresh = (step % REFRESH_EVERY == 0) & (step > 0)
        bases = jax.lax.cond(refresh, _update_bases, reuse, grams, bases, step)
    square = _blend(moments.square, _rotate(grad, bases) ** 2)
    return Moments(B1 * moments.mean + (1 - B1) * grad, square, grams, bases)


def _blend(old, new):
    return B2 * old + (1 - B2) * new


def _blend_gram(gram, rows):
    return None if gram is None else _blend(gram, rows @ rows.T)


def _update_bases(grams, bases, step):
    """Returns the eigenvectors at the first update, later one power iteration from the old ones.

    There is no update at step 0: the Gram matrix of one gradient does not have full rank, and
    rounding in its null space would determine the run.
    """

    def exact(gram, _):
        return jnp.linalg.eigh(gram)[1][:, ::-1]

    def iterated(gram, basis):
        return jnp.linalg.qr(gram @ basis)[0]

    update = lambda *pair: jax.lax.cond(step == REFRESH_EVERY, exact, iterated, *pair)
    return jax.tree.map(update, grams, bases)


def _direction(moments: Moments, step):
    mean = _rotate(moments.mean, moments.bases) / (1 - B1 ** (step + 1.0))
    square = moments.square / (1 - B2 ** (step + 1.0))
    return _rotate_back(mean / (jnp.sqrt(square) + EPS), moments.bases)


def _rotate(array, bases):
    left, right = bases or (None, None)
    array = array if left is None else left.T @ array
    return array if right is None else array @ right


def _rotate_back(array, bases):
    left, right = bases or (None, None)
    array = array if left is None else left @ array
    return array if right is None else array @ right.T
