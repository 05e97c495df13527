"""Correlations: objectives without negatives, which keep columns apart by their second moments.

Each is (z, temperature, where) -> float32 []; lower is better, in units of its own. Columns of
zeros take no part, nor do pairs outside `where`; an empty mask gives 0 with a gradient of 0.
"""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.objectives.masks import active_columns, all_pairs, centred, covariance, masked_mean

INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0  # weights of VICReg, as in its source
REDUNDANCY = 5e-3  # weight of Barlow Twins, as in its source
RIDGE = 1e-4  # added to variances

Temperature = Float[Array, ""] | float


def vicreg(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Variance, invariance, covariance (VICReg, Bardes et al., arXiv 2105.04906): float32 [].

    Of z / √temperature, the mean over active columns k of
    25 E(z_xk - z_tk)² + Σ_modalities [25 max(0, 1 - sd_k) + Σ_{l≠k} cov_kl²]:
    the temperature is the variance asked of each. z: float32 [n, d].
    """
    where = all_pairs(z, where)
    columns = active_columns(z, where)
    scale = jax.lax.rsqrt(jnp.float32(temperature))
    kept = [jnp.where(where[:, None], rows * scale, 0.0) for rows in z]
    loss = INVARIANCE * masked_mean(jnp.sum((kept[0] - kept[1]) ** 2, -1), where)
    for deviations in (centred(rows, where) for rows in kept):
        cov = covariance(deviations, deviations, where)
        spread = jnp.sqrt(jnp.diagonal(cov) + RIDGE)
        loss += VARIANCE * jnp.sum(jax.nn.relu(1 - spread), where=columns)
        loss += COVARIANCE * jnp.sum(_off_diagonal(cov) ** 2)
    return loss / jnp.maximum(columns.sum(), 1)


def barlow_twins(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Cross-correlations towards the identity (Zbontar et al., arXiv 2103.03230): float32 [].

    Σ_k (1 - c_kk)² + 0.005 Σ_{k≠l} c_kl² over active columns, c_kl the correlation of column k of
    z_x and l of z_t. Correlations know no scale, hence no temperature. z: float32 [n, d].
    """
    where = all_pairs(z, where)
    columns = active_columns(z, where)
    cross = covariance(_standardized(z.x, where), _standardized(z.t, where), where)
    twins = jnp.sum((1 - jnp.diagonal(cross)) ** 2, where=columns)
    return twins + REDUNDANCY * jnp.sum(_off_diagonal(cross) ** 2)


def whitened_regression(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """What the modalities' linear regressions on one another leave unexplained: float32 [].

    d - ‖cov_x^-½ cov_xt cov_t^-½‖², the d active columns less the sum of squared canonical
    correlations (deep CCA: Andrew et al., 2013): the error of whitened z_t predicted from z_x, and
    the other way round. The plain baseline: of two trained encoders, regression of one on the other
    is best when both are constant, and a stop-gradient only slows that down; regression of what is
    white has nothing to gain by it. No negatives, no entropy, no scale, hence no temperature.
    z: float32 [n, d], n > d + 1, or everything is explained.
    """
    where = all_pairs(z, where)
    columns = active_columns(z, where)
    x, t = _standardized(z.x, where), _standardized(z.t, where)
    ridge = RIDGE * jnp.eye(x.shape[1])
    root_x = jnp.linalg.cholesky(covariance(x, x, where) + ridge)
    root_t = jnp.linalg.cholesky(covariance(t, t, where) + ridge)
    half = solve_triangular(root_x, covariance(x, t, where), lower=True)
    canonical = solve_triangular(root_t, half.T, lower=True)
    return columns.sum() - jnp.sum(canonical**2)


def _standardized(rows, where):
    """Columns of mean 0 and variance 1; those of no variance are 0, with a finite gradient."""
    deviations = centred(rows, where)
    variance = jnp.sum(deviations**2, 0, keepdims=True) / jnp.maximum(where.sum() - 1, 1)
    return deviations * jax.lax.rsqrt(jnp.maximum(variance, 1e-12))


def _off_diagonal(matrix):
    return matrix * (1 - jnp.eye(len(matrix)))
