"""Conditional means: the semantics expected from the unbiased ones, E[s | s_I]."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from lvm.bias import Mask
from lvm.checks import check_count, check_mask, check_shape
from lvm.latents.semantics import Semantics, mechanism

PARTICLES = 4096
ROWS = 16  # weighted together, so that their particles stay in a CPU's cache


def conditional_means(
    key: Key[Array, ""],
    law: Semantics,
    s: Float[Array, "count n"],
    unbiased: Mask,
    *,
    particles: int = PARTICLES,
) -> Float[Array, "count n"]:
    """Returns E[s | s_I] of every row, for Gaussian exogenous noise: float32 [count, n].

    The unbiased semantics s_I are returned unchanged. Linear mechanisms have a closed form, which
    uses neither `key` nor `particles`. Other mechanisms are simulated: `particles` samples of the
    remaining semantics, drawn in causal order and weighted by the likelihood of s_I. The error of
    the mean shrinks as 1 / √particles, so the R² of these means is slightly below the attainable
    one: by 0.01 or less with ten semantics and 1,024 particles, by more with more semantics.

    Raises ValueError for another number of semantics, a mask of another length and fewer than one
    particle.
    """
    n = law.scale.shape[-1]
    check_shape("s", s, ("count", n), ", as the law")
    check_mask("unbiased", unbiased, n, ", as the law")
    check_count("particles", particles)
    return _conditional_means(key, law, s, unbiased, particles=particles)


@partial(jax.jit, static_argnames="particles")
def _conditional_means(key, law: Semantics, s, unbiased, *, particles):
    simulated = partial(simulated_means, key, particles=particles)
    return jax.lax.cond(law.curve == 0, gaussian_means, simulated, law, s, unbiased)


@jax.default_matmul_precision("float32")
def gaussian_means(
    law: Semantics, s: Float[Array, "count n"], unbiased: Mask
) -> Float[Array, "count n"]:
    """Returns E[s | s_I] for linear mechanisms: float32 [count, n].

    This is the linear regression on s_I, from a root of the covariance.
    """
    n = law.scale.shape[-1]
    root = jnp.linalg.solve(jnp.eye(n, dtype=jnp.float32) - law.weights, jnp.diag(law.scale))
    observed = jnp.where(unbiased[:, None], root, 0.0)
    # the pseudo-inverse of a root has the square root of the covariance's condition number
    coefficients = root @ jnp.linalg.pinv(observed)
    return jnp.where(unbiased[None], s, jnp.where(unbiased[None], s, 0.0) @ coefficients.T)


@jax.default_matmul_precision("float32")
def simulated_means(
    key: Key[Array, ""],
    law: Semantics,
    s: Float[Array, "count n"],
    unbiased: Mask,
    *,
    particles: int = PARTICLES,
) -> Float[Array, "count n"]:
    """Returns E[s | s_I] for any mechanisms, by Monte Carlo: float32 [count, n].

    These are likelihood-weighted means over particles, with the same noise for every row.
    """
    noise = jax.random.normal(key, (law.scale.shape[-1], particles), jnp.float32)
    order = _causal_order(law)
    row = lambda values: _weighted_mean(noise, law, order, values, unbiased)
    return jnp.where(unbiased[None], s, jax.lax.map(row, s, batch_size=ROWS))


def _weighted_mean(noise, law: Semantics, order, values: Float[Array, " n"], unbiased):
    """Returns the mean of the particles of one row, weighted by the likelihood of s_I."""

    def draw(state, j):
        particles, effects, log_weight = state
        expected = law.weights[j] @ effects
        drawn = jnp.where(unbiased[j], values[j], expected + law.scale[j] * noise[j])
        surprise = jnp.where(unbiased[j], (drawn - expected) / law.scale[j], 0.0)
        particles = particles.at[j].set(drawn)
        effects = effects.at[j].set(mechanism(law, drawn))
        return (particles, effects, log_weight - surprise**2 / 2), None

    none = jnp.zeros_like(noise)
    (particles, _, log_weight), _ = jax.lax.scan(draw, (none, none, none[0]), order)
    return particles @ jax.nn.softmax(log_weight)


def _causal_order(law: Semantics) -> Int[Array, " n"]:
    """Returns the semantics in an order in which causes precede their effects."""
    causes = law.weights != 0
    deepen = lambda _, depth: jnp.max(jnp.where(causes, depth[None] + 1, 0), axis=1)
    depth = jax.lax.fori_loop(0, len(causes), deepen, jnp.zeros(len(causes), jnp.int32))
    return jnp.argsort(depth)
