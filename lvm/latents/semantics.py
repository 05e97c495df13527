"""Semantics: their joint law, a structural causal model given as plain arrays.

Independent, Wishart-dependent, linear and nonlinear models are values of one pytree, so lanes with
different laws run in one compiled program.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Float, Int, Key

from lvm.checks import check_count, check_result
from lvm.latents.switch import check_index, check_name

EDGE_PROBABILITY = 0.5


class Semantics(NamedTuple):
    """Law of s_j = Σ_i weights[j, i] · mechanism(s_i) + scale[j] · ε_j on a DAG.

    The exogenous noise ε has mean 0 and variance 1.

    weights: float32 [n, n]; row j holds the edges into s_j; some order is topological.
    scale:   float32 [n], standard deviation of the exogenous noise.
    curve:   float32 [], 0 for linear mechanisms, 1 for sine waves, between for a blend.
    """

    weights: Float[Array, "n n"]
    scale: Float[Array, " n"]
    curve: Float[Array, ""]


Draw = Callable[[Key[Array, ""], int], Semantics]  # (key, number of semantics) -> law


def sample_semantics(key: Key[Array, ""], law: Semantics, count: int) -> Float[Array, "count n"]:
    """Samples `count` independent vectors of Gaussian semantics: float32 [count, n].

    Raises ValueError for a count below 1.
    """
    check_count("count", count)
    return solve_semantics(law, jax.random.normal(key, (count, law.scale.shape[-1])))


@jax.default_matmul_precision("float32")
def solve_semantics(law: Semantics, noise: Float[Array, "count n"]) -> Float[Array, "count n"]:
    """Returns the semantics that exogenous noise [count, n] generates: float32 [count, n]."""
    return _propagate(law, noise * law.scale[None])


def mechanism(law: Semantics, s: Float[Array, "..."]) -> Float[Array, "..."]:
    """Returns the effect of semantics before their weights, elementwise: float32 of that shape."""
    return (1 - law.curve) * s + law.curve * jnp.sin(2 * s)


def draw_semantics(
    key: Key[Array, ""], n: int, dependence: str | Draw | Int[Array, ""]
) -> Semantics:
    """Draws a law of n semantics.

    dependence: a name in `DEPENDENCES`, its traced index int32 [], or a function (key, n) ->
                Semantics.

    independent: Σ_s = I; dependent: Σ_s ~ Wishart(n, I) (paper section 5.1); linear_scm and
    nonlinear_scm: a random order, each edge present with probability 0.5, Gaussian weights.
    Raises ValueError for an unknown name, for an index, if its value is known, out of range, and
    for a function whose result has other shapes.
    """
    if isinstance(dependence, str):
        draw = DEPENDENCES[check_name(dependence, DEPENDENCES, "dependence")]
        return _draw_checked(dependence, draw, key, n)
    if callable(dependence):
        name = getattr(dependence, "__name__", repr(dependence))
        return _draw_checked(name, dependence, key, n)
    check_index(dependence, DEPENDENCES, "dependence")
    return _draw_selected(key, dependence, n, tuple(DEPENDENCES.items()))


def _draw_checked(name: str, draw: Draw, key, n) -> Semantics:
    law = draw(key, n)
    allowed = jax.eval_shape(partial(_independent, n=n), key)
    check_result(f"dependence {name!r}", law, allowed)
    return law


def gaussian_semantics(cov_s: np.ndarray) -> Semantics:
    """Returns the law N(0, cov_s) for a given covariance [n, n].

    Raises ValueError unless cov_s is a finite, symmetric, positive definite matrix.
    """
    root = np.linalg.cholesky(check_covariance(cov_s))
    return _from_cholesky(jnp.asarray(root, jnp.float32))


def check_covariance(cov_s: np.ndarray) -> np.ndarray:
    """Returns a covariance as float64 [n, n], computed without a device; raises as its law does."""
    cov = np.asarray(cov_s)
    if cov.dtype.kind not in "fiu":
        raise ValueError(f"cov_s is {cov.dtype}: allowed is a matrix of real numbers")
    cov = cov.astype(np.float64)
    if cov.ndim != 2 or cov.shape[0] != cov.shape[1] or not cov.size:
        raise ValueError(f"cov_s has shape {cov.shape}: allowed is a square matrix")
    if not np.isfinite(cov).all():
        raise ValueError("cov_s holds a value that is not finite")
    if not np.allclose(cov, cov.T):
        gap = np.abs(cov - cov.T).max()
        raise ValueError(f"cov_s is not symmetric: it differs from its transpose by {gap:.3g}")
    smallest = np.linalg.eigvalsh(cov)[0]
    if smallest <= 0:
        raise ValueError(f"cov_s is not positive definite: its least eigenvalue is {smallest:.3g}")
    return cov


def covariance(law: Semantics) -> Float[Array, "n n"]:
    """Returns Σ_s of a law with linear mechanisms (curve 0): float32 [n, n]."""
    n = law.scale.shape[-1]
    root = jnp.linalg.solve(jnp.eye(n) - law.weights, jnp.diag(law.scale))
    return jnp.matmul(root, root.T, precision="highest")


def wishart_cholesky(key: Key[Array, ""], n: int) -> Float[Array, "n n"]:
    """Returns the Cholesky factor of a Wishart(n, I) draw: float32 [n, n], positive diagonal.

    Σ = GᵀG for a Gaussian G, and the R of G = QR is the factor. Unlike a decomposition of Σ, this
    cannot fail for an ill-conditioned draw.
    """
    upper = jnp.linalg.qr(jax.random.normal(key, (n, n)), mode="r")
    return (upper * jnp.sign(jnp.diagonal(upper))[:, None]).T


# Eager calls of control flow compile again for every new closure, hence the jit of these two.
@jax.jit
def _propagate(law: Semantics, exogenous: Float[Array, "count n"]) -> Float[Array, "count n"]:
    """Returns the semantics of scaled exogenous noise [count, n]."""
    n = exogenous.shape[1]

    def substitute(mechanism, exogenous):
        # A node of depth d is final after d substitutions, and no depth exceeds n - 1.
        body = lambda _, s: exogenous + mechanism(s) @ law.weights.T
        return jax.lax.fori_loop(0, n - 1, body, exogenous)

    linear = lambda: exogenous @ substitute(lambda s: s, jnp.eye(n, dtype=exogenous.dtype))
    return jax.lax.cond(
        law.curve == 0, linear, lambda: substitute(partial(mechanism, law), exogenous)
    )


@partial(jax.jit, static_argnames=("n", "draws"))
def _draw_selected(key, index, n, draws) -> Semantics:
    return jax.lax.switch(index, [partial(_draw_checked, *draw, n=n) for draw in draws], key)


def _independent(key, n):
    del key
    return Semantics(jnp.zeros((n, n)), jnp.ones(n), jnp.zeros(()))


def _wishart(key, n):
    return _from_cholesky(wishart_cholesky(key, n))


def _from_cholesky(root: Float[Array, "n n"]) -> Semantics:
    """Returns s = root · ε as a causal model in the order 1..n.

    Solves (I - weights)⁻¹ diag(scale) = root.
    """
    scale = jnp.diag(root)
    inverse = solve_triangular(root, jnp.eye(len(scale)), lower=True)
    return Semantics(jnp.tril(-scale[:, None] * inverse, -1), scale, jnp.zeros(()))


def _linear_scm(key, n):
    key_order, key_edge, key_weight = jax.random.split(key, 3)
    edges = jnp.tril(jax.random.bernoulli(key_edge, EDGE_PROBABILITY, (n, n)), -1)
    parents = jnp.maximum(edges.sum(1, keepdims=True), 1)
    weights = jnp.where(edges, jax.random.normal(key_weight, (n, n)), 0) * jnp.sqrt(2 / parents)
    order = jax.random.permutation(key_order, n)
    return Semantics(weights[order][:, order], jnp.ones(n), jnp.zeros(()))


def _nonlinear_scm(key, n):
    return _linear_scm(key, n)._replace(curve=jnp.ones(()))


DEPENDENCES: dict[str, Draw] = {
    "independent": _independent,
    "dependent": _wishart,
    "linear_scm": _linear_scm,
    "nonlinear_scm": _nonlinear_scm,
}
LINEAR = ("independent", "dependent", "linear_scm")  # dependences without nonlinear mechanisms
