"""Entropies: alignment minus an entropy, as in the paper's Eq. 2, by other estimates of it.

Each is (z, temperature, where) -> float32 []; lower is better, in nats up to a constant. The
temperature is the unit of squared distances: the loss of z is that of z / √temperature at 1.
Columns of zeros take no part, nor do pairs outside `where`; an empty mask gives 0 with a gradient
of 0.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.objectives.alignment_entropy import NORM_PENALTY
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.masks import (
    active_columns,
    all_pairs,
    centred,
    covariance,
    fill_masked,
    masked_mean,
)
from mmcl.objectives.similarities import negative_squared_distance

NEIGHBOUR = 3  # the k of the k-th nearest: the lower, the less bias and the more variance
FLOOR = 1e-4  # of squared distances and variances, under which a logarithm goes no deeper

Temperature = Float[Array, ""] | float
Entropy = Callable[
    [Float[Array, "n d"], Bool[Array, " n"], Bool[Array, " d"]], Float[Array, ""]
]  # (rows, where, columns that are active) -> nats


def alignment_uniformity(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Alignment plus uniformity (Wang and Isola, arXiv 2005.10242): float32 [].

    E‖z_x - z_t‖² + ½ Σ_modalities log mean_ij exp(-‖z_i - z_j‖²): both means are inside the
    logarithm, which makes it a Rényi entropy, of order 2. The source has z on the unit
    sphere (`Recipe.output_space`), which bounds it; here pairs i = j count, and bound it anywhere.
    z: float32 [n, d].
    """
    return _alignment_minus(_renyi_entropy, 0.0, z, temperature, where)


def alignment_max_neighbour_entropy(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Alignment minus entropies by k-th nearest neighbours, k = 3: float32 [].

    E‖z_x - z_t‖² - ½ Σ_modalities d E log ‖z_i - its k-th nearest‖ + λ E‖z‖², the estimate of
    Kozachenko and Leonenko without its constants; d counts active columns. It does not saturate, so
    λ stands for the bounded outputs of the theory. z: float32 [n, d]. With k pairs or fewer in the
    mask there is no k-th neighbour, and no entropy.
    """
    return _alignment_minus(_neighbour_entropy, NORM_PENALTY, z, temperature, where)


def alignment_max_gaussian_entropy(
    z: Modalities, temperature: Temperature, where: Bool[Array, " n"] | None = None
) -> Float[Array, ""]:
    """Alignment minus entropies of Gaussians of the same covariance: float32 [].

    E‖z_x - z_t‖² - ¼ Σ_modalities log det(cov z + 1e-4 I) + λ E‖z‖². Columns need only be
    uncorrelated for it, not independent. z: float32 [n, d], n > d, or the floor of 1e-4 decides.
    """
    return _alignment_minus(_gaussian_entropy, NORM_PENALTY, z, temperature, where)


def _alignment_minus(entropy: Entropy, norm_penalty: float, z, temperature, where):
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    columns = active_columns(z, where)
    centre = jax.lax.stop_gradient(z.x.mean(0))[None]  # a product far off would round much away
    scale = jax.lax.rsqrt(jnp.float32(temperature))
    z = Modalities((z.x - centre) * scale, (z.t - centre) * scale)
    norm = jnp.sum(centred(z.x, where) ** 2 + centred(z.t, where) ** 2, -1) / 2
    pull = masked_mean(jnp.sum((z.x - z.t) ** 2, -1) + norm_penalty * norm, where)
    return pull - (entropy(z.x, where, columns) + entropy(z.t, where, columns)) / 2


def _renyi_entropy(rows, where, columns):
    some = where | ~where.any()  # to take part, so that an empty mask is finite too
    of_rows = log_sum_exp(*negative_squared_distance(rows, rows), some, False)
    total = jax.nn.logsumexp(of_rows, where=some)
    return jnp.where(where.any(), 2 * jnp.log(some.sum()) - total, 0.0)


def _neighbour_entropy(rows, where, columns):
    left, right = negative_squared_distance(*[jax.lax.stop_gradient(rows)] * 2)
    closeness = jnp.matmul(left, right.T, precision="float32")
    others = where[None] & ~jnp.eye(len(rows), dtype=bool)
    _, nearest = jax.lax.top_k(jnp.where(others, closeness, -jnp.inf), NEIGHBOUR)
    # the distance once more, by differences: Gram distances of near points are all rounding
    distance = jnp.sum((rows - rows[nearest[:, -1]]) ** 2, -1)
    nats = columns.sum() / 2 * jnp.log(distance + FLOOR)
    return jnp.where(where.sum() > NEIGHBOUR, masked_mean(nats, where), 0.0)


def _gaussian_entropy(rows, where, columns):
    deviations = centred(rows, where)
    floor = jnp.where(columns, FLOOR, 1.0)  # 1 for a column of zeros, whose logarithm is 0
    cov = covariance(deviations, deviations, where) + jnp.diag(floor)
    return jnp.sum(jnp.log(jnp.diagonal(jnp.linalg.cholesky(cov))))
