"""Theory: what a perfect representation shows."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from lvm.bias import Mask


def attainable_r2(cov_s: Float[Array, "n n"], unbiased: Mask) -> Float[Array, " n"]:
    """The best R² of each s_j from the unbiased semantics s_I, for Gaussian s: float32 [n].

    Σ_jI Σ_II⁻¹ Σ_Ij / Σ_jj: 1 for j in I, and what dependence lets one predict for the others.
    An empty I gives 0 everywhere.
    """
    scale = jnp.sqrt(jnp.diagonal(cov_s))
    correlation = cov_s / (scale[:, None] * scale[None])
    inside = unbiased[:, None] & unbiased[None]
    block = jnp.where(inside, correlation, jnp.eye(len(scale)))
    cross = jnp.where(unbiased[:, None], correlation, 0.0)
    predicted = jnp.sum(cross * jnp.linalg.solve(block, cross), axis=0)
    return jnp.where(unbiased, 1.0, jnp.clip(predicted, 0.0, 1.0))
