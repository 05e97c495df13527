"""Muon: momentum of matrices, orthogonalised (Jordan et al., kellerjordan.github.io/posts/muon).

A quintic Newton-Schulz iteration of a matrix X is X times a polynomial of its Gram matrix. So the
iteration runs on the Gram matrix of the short side alone, and the long side is met twice: once to
make the Gram matrix, once to apply what became of it. That factor changes slowly, as momentum does,
and serves some steps before it is made anew.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic: steep at 0, near 1 from there on
ITERATIONS = 3  # in trials five gave the same scores, at more cost
REFRESH_EVERY = 4  # steps that a factor serves
EPS = 1e-8


class MuonState(NamedTuple):
    """What Muon remembers of a matrix [m, n], s being its shorter side.

    mean:   running mean of the gradient [m, n].
    factor: what orthogonalises it, once it is of norm 1 [s, s].
    """

    mean: Float[Array, "m n"]
    factor: Float[Array, "s s"]


def scale_by_muon() -> optax.GradientTransformationExtraArgs:
    """Orthogonalised Nesterov momentum of matrices, scaled by √max(1, n / m). Takes `step`, from 0.

    Keep `step` unbatched under vmap: with a batched one the factors are made at every step.
    """

    def init(params):
        square = lambda param: jnp.zeros((min(param.shape),) * 2, param.dtype)
        return jax.tree.map(lambda param: MuonState(jnp.zeros_like(param), square(param)), params)

    def update(grads, state, params=None, *, step, **extra):
        del params, extra
        ahead = MOMENTUM / (1 - MOMENTUM ** (step + 2.0))
        now = (1 - MOMENTUM) / (1 - MOMENTUM ** (step + 1.0))

        def of_matrix(grad, memory):
            mean = MOMENTUM * memory.mean + (1 - MOMENTUM) * grad
            nesterov = ahead * mean + now * grad
            due = step % REFRESH_EVERY == 0
            nesterov /= jnp.linalg.norm(nesterov) + EPS
            renew = lambda matrix, _: orthogonalizing_factor(matrix)
            keep = lambda _, factor: factor
            factor = jax.lax.cond(due, renew, keep, nesterov, memory.factor)
            return _apply(factor, nesterov), MuonState(mean, factor)

        pairs = jax.tree.map(of_matrix, grads, state)
        pick = lambda place: jax.tree.map(lambda _, pair: pair[place], grads, pairs)
        return pick(0), pick(1)

    return optax.GradientTransformationExtraArgs(init, update)


def orthogonalizing_factor(matrix: Float[Array, "m n"]) -> Float[Array, "s s"]:
    """What turns a matrix of norm 1 into one whose singular values are near 1: float32 [s, s].

    To be multiplied from the short side.
    """
    a, b, c = COEFFICIENTS
    rows = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    gram = rows @ rows.T
    one = factor = jnp.eye(len(rows), dtype=rows.dtype)
    for _ in range(ITERATIONS):
        gram = _symmetric(gram)
        quintic = a * one + b * gram + c * gram @ gram
        factor, gram = quintic @ factor, quintic @ gram @ quintic
    return factor


def _apply(factor, matrix):
    rows, columns = matrix.shape
    product = matrix @ factor if rows > columns else factor @ matrix
    return max(1, columns / rows) ** 0.5 * product


def _symmetric(matrix):
    return (matrix + matrix.T) / 2
