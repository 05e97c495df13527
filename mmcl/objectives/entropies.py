"""Alignment minus entropy (as in paper Eq. 2) by other estimates of the entropy.

Each is a function (z, temperature, where) -> float32 []; lower is better, in nats up to a constant.
The temperature is the unit of squared distances: the loss of z is that of z / √temperature at
temperature 1. Representations z are float32 [n, d]; columns of zeros take no part. `where`,
bool [n], selects the pairs that take part: the others change nothing, and an empty mask gives 0
with a gradient of 0.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.numbers import check_above_0
from mmcl.objectives.alignment_entropy import NORM_PENALTY
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.masks import (
    active_columns,
    all_pairs,
    centred,
    covariance,
    fill_masked,
    log_count,
    masked_mean,
)
from mmcl.objectives.similarities import negative_squared_distance
from mmcl.output_spaces import unit

NEIGHBOUR = 3  # k of the k-th nearest neighbour; a lower k has less bias and more variance
KERNEL_SCALE = 2.0  # t of `alignment_uniformity_on_sphere`, as in its source
FLOOR = 1e-4  # added to squared distances and variances, so that their logarithms stay finite

Temperature = Float[Array, ""] | float
Entropy = Callable[
    [Float[Array, "n d"], Bool[Array, " n"], Bool[Array, " d"]], Float[Array, ""]
]  # (rows, where, active columns) -> nats


def alignment_uniformity(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Alignment plus uniformity (Wang and Isola, arXiv 2005.10242): float32 [].

    E‖z_x - z_t‖² + ½ Σ_modalities log mean_ij exp(-‖z_i - z_j‖²). Both means are inside the
    logarithm, which makes it a Rényi entropy of order 2. The source bounds it by z on the unit
    sphere (see `Recipe.output_space`); here the pairs i = j count and bound it in any space, and
    the kernel has t = 1, not 2 (in the form of the source: `alignment_uniformity_on_sphere`).

    z: representations float32 [n, d].
    """
    return _alignment_minus(_renyi_entropy, 0.0, z, temperature, where)


def alignment_uniformity_on_sphere(
    z: Modalities,
    temperature: Temperature,
    where: Bool[Array, " n"] | None = None,
    *,
    alignment_weight: float = 1.0,
    uniformity_weight: float = 1.0,
) -> Float[Array, ""]:
    """Alignment and uniformity on the unit sphere (Wang and Isola, arXiv 2005.10242): float32 [].

    Of rows u = z / ‖z‖: `alignment_weight` · E‖u_x - u_t‖² + `uniformity_weight` · ½ Σ_modalities
    log mean_{i≠j} exp(-t ‖u_i - u_j‖²) with t = 2 / temperature.

    Deviations: none at temperature 1, where t is that of the source. Rows are scaled to the sphere
    in any output space. A single pair has no uniformity.

    z: representations float32 [n, d].
    """
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    z = Modalities(*map(unit, fill_masked(z, where)))
    alignment = masked_mean(jnp.sum((z.x - z.t) ** 2, -1), where)
    scale = KERNEL_SCALE / temperature
    uniformity = (_uniformity(z.x, where, scale) + _uniformity(z.t, where, scale)) / 2
    return alignment_weight * alignment + uniformity_weight * uniformity


def alignment_max_neighbour_entropy(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Alignment minus entropies by k-th nearest neighbours, k = 3: float32 [].

    E‖z_x - z_t‖² - ½ Σ_modalities d E log ‖z_i - its k-th nearest‖ + λ E‖z‖², the estimate of
    Kozachenko and Leonenko without its constants; d is the number of active columns. It does not
    saturate, so λ takes the role of the bounded outputs of the theory. The entropy is 0 if the mask
    has k pairs or fewer.

    z: representations float32 [n, d].
    """
    return _alignment_minus(_neighbour_entropy, NORM_PENALTY, z, temperature, where)


def alignment_max_gaussian_entropy(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Alignment minus entropies of Gaussians of the same covariance: float32 [].

    E‖z_x - z_t‖² - ¼ Σ_modalities log det(cov z + 1e-4 I) + λ E‖z‖². It rewards columns for being
    uncorrelated, not for being independent.

    z: representations float32 [n, d] with n > d; with fewer pairs the floor of 1e-4 dominates.
    """
    return _alignment_minus(_gaussian_entropy, NORM_PENALTY, z, temperature, where)


def _alignment_minus(entropy: Entropy, norm_penalty: float, z, temperature, where):
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    columns = active_columns(z, where)
    # products of rows far from the origin would lose digits
    centre = jax.lax.stop_gradient(z.x.mean(0))[None]
    scale = jax.lax.rsqrt(jnp.float32(temperature))
    z = Modalities((z.x - centre) * scale, (z.t - centre) * scale)
    norm = jnp.sum(centred(z.x, where) ** 2 + centred(z.t, where) ** 2, -1) / 2
    alignment = masked_mean(jnp.sum((z.x - z.t) ** 2, -1) + norm_penalty * norm, where)
    return alignment - (entropy(z.x, where, columns) + entropy(z.t, where, columns)) / 2


def _renyi_entropy(rows, where, columns):
    nonempty = where | ~where.any()  # all for an empty mask, to keep gradients finite
    of_rows = log_sum_exp(*negative_squared_distance(rows, rows), nonempty, False)
    total = jax.nn.logsumexp(of_rows, where=nonempty)
    return jnp.where(where.any(), 2 * log_count(nonempty.sum()) - total, 0.0)


def _uniformity(rows, where, scale):
    """Returns log mean_{i≠j} exp(-scale ‖rows_i - rows_j‖²), 0 for fewer than two pairs."""
    left, right = negative_squared_distance(rows, rows)
    of_rows = log_sum_exp(scale * left, right, where, True)
    count = where.sum()
    # 0 in place of -inf first: the derivative of a logarithm of 0 is not finite
    total = jax.nn.logsumexp(jnp.where(count > 1, of_rows, 0.0), where=where | (count < 2))
    # two logarithms, as the number of ordered pairs can exceed int32
    mean = total - log_count(count) - log_count(jnp.maximum(count - 1, 1))
    return jnp.where(count > 1, mean, 0.0)


def _neighbour_entropy(rows, where, columns):
    left, right = negative_squared_distance(*[jax.lax.stop_gradient(rows)] * 2)
    similarity = jnp.matmul(left, right.T, precision="float32")
    others = where[None] & ~jnp.eye(len(rows), dtype=bool)
    count = min(NEIGHBOUR, len(rows))  # of fewer rows the entropy is 0
    _, nearest = jax.lax.top_k(jnp.where(others, similarity, -jnp.inf), count)
    # distances again, from differences: rounding dominates Gram distances of close points
    distance = jnp.sum((rows - rows[nearest[:, -1]]) ** 2, -1)
    nats = columns.sum() * jnp.float32(0.5) * jnp.log(distance + FLOOR)
    return jnp.where(where.sum() > NEIGHBOUR, masked_mean(nats, where), 0.0)


def _gaussian_entropy(rows, where, columns):
    deviations = centred(rows, where)
    floor = jnp.where(columns, FLOOR, 1.0)  # 1 for a column of zeros, so that it adds log 1 = 0
    cov = covariance(deviations, deviations, where) + jnp.diag(floor)
    return jnp.sum(jnp.log(jnp.diagonal(jnp.linalg.cholesky(cov))))
