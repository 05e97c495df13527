"""Correlation objectives: without negatives, they decorrelate columns by second moments.

Each is a function (z, temperature, where) -> float32 []; lower is better, without a common unit.
Representations z are float32 [n, d]; columns of zeros take no part. `where`, bool [n], selects the
pairs that take part: the others change nothing, and an empty mask gives 0 with a gradient of 0.
"""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.numbers import check_above_0
from mmcl.objectives.masks import active_columns, all_pairs, centred, covariance, masked_mean

INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0  # weights of VICReg, as in its source
REDUNDANCY = 5e-3  # weight of Barlow Twins, as in its source
RIDGE = 1e-4  # added to variances
CONSTANT = 1e-6  # least standard deviation of a column, relative to its largest magnitude

Temperature = Float[Array, ""] | float


def vicreg(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Variance, invariance, covariance (VICReg, Bardes et al., arXiv 2105.04906): float32 [].

    Mean over active columns k of
    25 E(z_xk - z_tk)² + Σ_modalities [25 max(0, 1 - sd_k) + Σ_{l≠k} cov_kl²] of z / √temperature:
    the temperature is the variance that each column should reach, 1 in the source.

    Deviation from the released code: it averages the variance terms of the two modalities, see
    `vicreg_released`. There is no projection head (expander): z are the representations.

    z: representations float32 [n, d].
    """
    return _vicreg(z, temperature, where, variance=VARIANCE)


def vicreg_released(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """VICReg (Bardes et al., arXiv 2105.04906) with the weights of its released code: float32 [].

    As `vicreg`, with half of the variance term per modality: mean over active columns k of
    25 E(z_xk - z_tk)² + Σ_modalities [25/2 max(0, 1 - sd_k) + Σ_{l≠k} cov_kl²] of z / √temperature,
    with sd² = var + 1e-4, and var and cov divided by n - 1.

    Deviations: the temperature, 1 in the source, is the variance that each column should reach.
    There is no projection head (expander): z are the representations.

    z: representations float32 [n, d].
    """
    return _vicreg(z, temperature, where, variance=VARIANCE / 2)


def _vicreg(z: Modalities, temperature, where, *, variance: float):
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    columns = active_columns(z, where)
    scale = jax.lax.rsqrt(jnp.float32(temperature))
    x, t = (jnp.where(where[:, None], rows * scale, 0.0) for rows in z)
    loss = INVARIANCE * masked_mean(jnp.sum((x - t) ** 2, -1), where)
    for deviations in (centred(x, where), centred(t, where)):
        cov = covariance(deviations, deviations, where)
        spread = jnp.sqrt(jnp.diagonal(cov) + RIDGE)
        loss += variance * jnp.sum(jax.nn.relu(1 - spread), where=columns)
        loss += COVARIANCE * jnp.sum(_off_diagonal(cov) ** 2)
    return loss / jnp.maximum(columns.sum(), 1)


def barlow_twins(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Cross-correlations pulled to the identity (Zbontar et al., arXiv 2103.03230): float32 [].

    Σ_k (1 - c_kk)² + 0.005 Σ_{k≠l} c_kl² over active columns, where c_kl is the correlation of
    column k of z_x and l of z_t. The temperature has no effect, as correlations have no scale.

    z: representations float32 [n, d].
    """
    where = all_pairs(z, where)
    columns = active_columns(z, where)
    cross = covariance(_standardized(z.x, where), _standardized(z.t, where), where)
    invariance = jnp.sum((1 - jnp.diagonal(cross)) ** 2, where=columns)
    return invariance + REDUNDANCY * jnp.sum(_off_diagonal(cross) ** 2)


def whitened_regression(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Error of the linear regression of one whitened modality on the other: float32 [].

    d - ‖cov_x^-½ cov_xt cov_t^-½‖², the number d of active columns minus the sum of squared
    canonical correlations (deep CCA: Andrew et al., 2013). It is the same in both directions.

    This is the plain baseline. Regression between two trained encoders is best when both are
    constant, and a stop-gradient only slows the collapse down; regression of whitened columns gains
    nothing by it. The temperature has no effect, as whitened columns have no scale.

    z: representations float32 [n, d] with n > d + 1; with fewer pairs the regression is exact.
    """
    where = all_pairs(z, where)
    columns = active_columns(z, where)
    x, t = _standardized(z.x, where), _standardized(z.t, where)
    ridge = RIDGE * jnp.eye(x.shape[1], dtype=x.dtype)
    root_x = jnp.linalg.cholesky(covariance(x, x, where) + ridge)
    root_t = jnp.linalg.cholesky(covariance(t, t, where) + ridge)
    half = solve_triangular(root_x, covariance(x, t, where), lower=True)
    canonical = solve_triangular(root_t, half.T, lower=True)
    return columns.sum() - jnp.sum(canonical**2)


def _standardized(rows, where):
    """Returns columns of mean 0 and variance 1; constant ones are 0, with a finite gradient."""
    taking_part = jnp.where(where[:, None], jax.lax.stop_gradient(rows), 0.0)
    largest = jnp.abs(taking_part).max(0, keepdims=True)
    # relative to the largest value, so that rounding of a constant column is no variance
    deviations = centred(rows / jnp.where(largest == 0, 1.0, largest), where)
    variance = jnp.sum(deviations**2, 0, keepdims=True) / jnp.maximum(where.sum() - 1, 1)
    return deviations * jax.lax.rsqrt(jnp.maximum(variance, CONSTANT**2))


def _off_diagonal(matrix):
    return matrix * (1 - jnp.eye(len(matrix), dtype=matrix.dtype))
