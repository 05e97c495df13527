"""Muon: orthogonalised momentum of matrices (Jordan et al., kellerjordan.github.io/posts/muon).

A quintic Newton-Schulz iteration of a matrix X multiplies X by a polynomial of its Gram matrix. So
the iteration runs on the Gram matrix of the shorter side alone, and the longer side enters twice:
when the Gram matrix is computed and when the resulting factor is applied. The factor changes as
slowly as the momentum, so it is reused for some steps.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

MOMENTUM = 0.95
COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic: steep at 0, then close to 1
ITERATIONS = 3  # in trials five gave the same scores at higher cost
REFRESH_EVERY = 4  # steps between two computations of a factor
EPS = 1e-8


class MuonState(NamedTuple):
    """State of Muon for one matrix [m, n] with shorter side s.

    mean:   running mean of the gradient, [m, n].
    factor: matrix that orthogonalises the mean after scaling to norm 1, [s, s].
    """

    mean: Float[Array, "m n"]
    factor: Float[Array, "s s"]


def scale_by_muon() -> optax.GradientTransformationExtraArgs:
    """Returns orthogonalised Nesterov momentum of matrices [m, n], scaled by √max(1, n / m).

    `update` takes the keyword `step`, int32 [], counted from 0. It should not be batched under
    vmap: with a batched step the factors are computed at every step.
    """

    def init(params):
        square = lambda param: jnp.zeros((min(param.shape),) * 2, param.dtype)
        return jax.tree.map(lambda param: MuonState(jnp.zeros_like(param), square(param)), params)

    def update(grads, state, params=None, **extra):
        del params
        of_matrix = partial(_update_matrix, extra["step"])
        results = jax.tree.map(of_matrix, grads, state)
        pick = lambda index: jax.tree.map(lambda _, result: result[index], grads, results)
        return pick(0), pick(1)

    return optax.GradientTransformationExtraArgs(init, update)


# inlined where a caller compiles; outside of jit the closures below would compile at every call
@partial(jax.jit, inline=True)
def _update_matrix(step, grad, muon_state: MuonState) -> tuple[Float[Array, "m n"], MuonState]:
    weight_of_mean = MOMENTUM / (1 - MOMENTUM ** (step + 2.0))
    weight_of_grad = (1 - MOMENTUM) / (1 - MOMENTUM ** (step + 1.0))
    mean = MOMENTUM * muon_state.mean + (1 - MOMENTUM) * grad
    nesterov = weight_of_mean * mean + weight_of_grad * grad
    refresh = step % REFRESH_EVERY == 0
    nesterov /= jnp.linalg.norm(nesterov) + EPS
    compute = lambda matrix, _: orthogonalizing_factor(matrix)
    reuse = lambda _, factor: factor
    factor = jax.lax.cond(refresh, compute, reuse, nesterov, muon_state.factor)
    return _apply(factor, nesterov), MuonState(mean, factor)


def orthogonalizing_factor(matrix: Float[Array, "m n"]) -> Float[Array, "s s"]:
    """Returns the factor that moves the singular values of a matrix to about 1: float32 [s, s].

    It multiplies the matrix, whose norm must be 1, on the side of its shorter axis s.
    """
    a, b, c = COEFFICIENTS
    rows = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    gram = rows @ rows.T
    identity = factor = jnp.eye(len(rows), dtype=rows.dtype)
    for _ in range(ITERATIONS):
        gram = _symmetric(gram)
        quintic = a * identity + b * gram + c * gram @ gram
        factor, gram = quintic @ factor, quintic @ gram @ quintic
    return factor


def _apply(factor, matrix):
    rows, columns = matrix.shape
    product = matrix @ factor if rows > columns else factor @ matrix
    return max(1, columns / rows) ** 0.5 * product


def _symmetric(matrix):
    return (matrix + matrix.T) / 2
