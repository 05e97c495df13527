"""SOAP: Adam in the eigenbasis of Shampoo's preconditioner (Vyas et al., arXiv 2409.11321).

Where gradients are mostly noise, as with one unbiased latent among nine distorted ones, it needs
far fewer steps than Adam or Muon.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

B1, B2, EPS = 0.9, 0.95, 1e-8
REFRESH_EVERY = 10  # steps between two renewals of the eigenbases


class Moments(NamedTuple):
    """What SOAP remembers of one parameter; `grams` and `bases` hold a matrix an axis.

    mean:   running mean of the gradient.
    square: running mean of the squared gradient in the eigenbases.
    grams:  running means of G Gᵀ [m, m] and Gᵀ G [n, n] for a weight [m, n], () for a vector.
    bases:  their eigenvectors as columns, largest eigenvalue first; the identity at first.
    """

    mean: Float[Array, "..."]
    square: Float[Array, "..."]
    grams: tuple[Array, ...]
    bases: tuple[Array, ...]


def scale_by_soap() -> optax.GradientTransformationExtraArgs:
    """Preconditions gradients; vectors get plain Adam. `update` takes `step`, counted from 0.

    Keep `step` unbatched under vmap: with a batched one the bases are renewed at every step.
    """

    def init(params):
        return jax.tree.map(_no_moments, params)

    def update(grads, state, params=None, *, step, **extra):
        del params, extra
        state = jax.tree.map(lambda grad, moments: _accumulate(grad, moments, step), grads, state)
        return jax.tree.map(lambda _, moments: _direction(moments, step), grads, state), state

    return optax.GradientTransformationExtraArgs(init, update)


def _no_moments(param) -> Moments:
    zero = jnp.zeros_like(param)
    sizes = param.shape if param.ndim == 2 else ()
    grams = tuple(jnp.zeros((size, size)) for size in sizes)
    return Moments(zero, zero, grams, tuple(jnp.eye(size) for size in sizes))


def _accumulate(grad, moments: Moments, step) -> Moments:
    grams, bases = moments.grams, moments.bases
    if grams:
        grams = (_blend(grams[0], grad @ grad.T), _blend(grams[1], grad.T @ grad))
        keep = lambda grams, bases, step: bases
        due = (step % REFRESH_EVERY == 0) & (step > 0)
        bases = jax.lax.cond(due, _renew, keep, grams, bases, step)
    square = _blend(moments.square, _rotate(grad, bases) ** 2)
    return Moments(B1 * moments.mean + (1 - B1) * grad, square, grams, bases)


def _blend(old, new):
    return B2 * old + (1 - B2) * new


def _renew(grams, bases, step):
    """The eigenvectors at the first renewal, later one power iteration from the old ones.

    Not before: the Gram matrix of one gradient has no full rank, and what rounding makes of its
    null space would decide the run.
    """

    def exact(gram, _):
        return jnp.linalg.eigh(gram)[1][:, ::-1]

    def iterated(gram, basis):
        return jnp.linalg.qr(gram @ basis)[0]

    renew = lambda *pair: jax.lax.cond(step == REFRESH_EVERY, exact, iterated, *pair)
    return tuple(renew(*pair) for pair in zip(grams, bases, strict=True))


def _direction(moments: Moments, step):
    mean = _rotate(moments.mean, moments.bases) / (1 - B1 ** (step + 1.0))
    square = moments.square / (1 - B2 ** (step + 1.0))
    return _rotate_back(mean / (jnp.sqrt(square) + EPS), moments.bases)


def _rotate(array, bases):
    return bases[0].T @ array @ bases[1] if bases else array


def _rotate_back(array, bases):
    return bases[0] @ array @ bases[1].T if bases else array
