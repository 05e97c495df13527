"""Theory: scores that a perfect representation attains, in closed form."""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import ndtr, ndtri

from lvm.bias import Mask
from lvm.checks import check_count, check_mask, check_probability, check_shape
from lvm.latents.misalignment import INDICATOR_KINDS, MISALIGNMENTS
from lvm.latents.switch import check_name


def attainable_r2(cov_s: Float[Array, "n n"], unbiased: Mask) -> Float[Array, " n"]:
    """Returns the best R² of each s_j from the unbiased semantics s_I, for Gaussian s: float32 [n].

    The value is Σ_jI Σ_II⁻¹ Σ_Ij / Σ_jj: 1 for j in I, and for the others the R² that dependence
    allows. An empty I gives 0 everywhere. Raises ValueError for a covariance that is not square and
    for a mask of another length.
    """
    check_shape("cov_s", cov_s, ("n", "n"))
    n = cov_s.shape[0]
    check_shape("cov_s", cov_s, (n, n), ", a square matrix")
    check_mask("unbiased", unbiased, n, ", as cov_s")
    scale = jnp.sqrt(jnp.diagonal(cov_s))
    correlation = cov_s / (scale[:, None] * scale[None])
    inside = unbiased[:, None] & unbiased[None]
    block = jnp.where(inside, correlation, jnp.eye(len(scale)))
    cross = jnp.where(unbiased[:, None], correlation, 0.0)
    predicted = jnp.sum(cross * jnp.linalg.solve(block, cross), axis=0)
    return jnp.where(unbiased, 1.0, jnp.clip(predicted, 0.0, 1.0))


def caption_r2(kind: str, rate: float, captions: int = 1) -> float:
    """Returns the best R² of a perturbable semantic from its caption values.

    Semantics are independent and N(0, 1). `kind` is a name in `MISALIGNMENTS`, `captions` the
    number of captions of an image that are read together. Returns NaN if there is no closed form.
    docs/misalignment.md has the derivation. Raises ValueError for an unknown kind, a rate outside
    0..1 and fewer than one caption.
    """
    check_name(kind, MISALIGNMENTS, "kind")
    check_probability("rate", rate)
    check_count("captions", captions)
    kind = INDICATOR_KINDS.get(kind, kind)
    if kind in INDICATOR_KINDS.values():
        return _missing_r2(kind, rate, captions)
    if kind == "strength":
        return captions * (1 - rate) / (captions * (1 - rate) + rate)
    if kind == "category_alone":
        return 1 - rate**captions
    if kind in ("shuffled", "shuffled_in_category") and captions == 1:
        return (1 - rate) ** 2
    return np.nan


def _missing_r2(kind, rate, captions):
    """1 - the variance where all captions omit the value, by Gauss-Hermite quadrature."""
    if kind == "mcar" or rate == 0:
        return 1 - rate**captions
    value, weight = np.polynomial.hermite_e.hermegauss(80)
    weight = weight / weight.sum() * ndtr(np.sqrt(2) * ndtri(rate) - value) ** captions
    if kind == "mar":
        return 1 - weight.sum()
    mean = (weight * value).sum() / weight.sum()
    return 1 - (weight * (value - mean) ** 2).sum()
