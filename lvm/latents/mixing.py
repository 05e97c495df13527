"""Mixing: a random invertible MLP from latents to observations (the paper's g_x and g_t)."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lvm.checks import check_shape

Mixing = Float[Array, "layers d d"]  # square weights, one per layer

SLOPE = 0.2  # of the leaky ReLU between layers (paper section 5.1)
POOL = 64  # candidates drawn for each weight; the best conditioned one is taken


def init_mixing(key: Key[Array, ""], dim: int, layers: int = 3) -> Mixing:
    """Draws weights with columns of unit norm and a low condition number: float32 [layers, d, d].

    Each weight is the best conditioned one of a pool of fixed size, so the draw works inside jit.
    """
    pool = jax.random.normal(key, (layers, POOL, dim, dim))
    pool = pool / jnp.linalg.norm(pool, axis=-2, keepdims=True)
    conds = _condition_numbers(pool.reshape(-1, dim, dim)).reshape(layers, POOL)
    best = jnp.argmin(conds, axis=1)
    return jnp.take_along_axis(pool, best[:, None, None, None], axis=1)[:, 0]


@jax.default_matmul_precision("float32")
def mix(mixing: Mixing, z: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Returns the observations of latents z [n, d]: float32 [n, d].

    Raises ValueError for latents of another width than the weights.
    """
    _check_width(mixing, "z", z)
    columns = z.T  # on a CPU, small @ wide is much faster than tall @ small
    for weight in mixing[:-1]:
        columns = jax.nn.leaky_relu(weight.T @ columns, SLOPE)
    return (mixing[-1].T @ columns).T


@jax.default_matmul_precision("float32")
def unmix(mixing: Mixing, x: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Returns the latents of observations x [n, d], the inverse of `mix`: float32 [n, d].

    Raises ValueError for observations of another width than the weights.
    """
    _check_width(mixing, "x", x)
    x = _solve(mixing[-1], x)
    for weight in mixing[:-1][::-1]:
        x = _solve(weight, jnp.where(x < 0, x / SLOPE, x))
    return x


def _check_width(mixing, field, rows):
    check_shape("mixing", mixing, ("layers", "d", "d"))
    dim = mixing.shape[-1]
    check_shape("mixing", mixing, ("layers", dim, dim))
    check_shape(field, rows, ("n", dim), ", as the weights of mixing")


@jax.jit
def _condition_numbers(matrices: Float[Array, "n d d"]) -> Float[Array, " n"]:
    # one at a time: two concurrent batched decompositions can deadlock on few CPU cores
    return jax.lax.map(jnp.linalg.cond, matrices)


def _solve(weight, y):
    return jnp.linalg.solve(weight.T, y.T).T
