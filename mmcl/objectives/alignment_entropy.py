"""Alignment minus entropy by kernel estimates: the paper's objective and a whitened variant.

Lower is better, in nats. Representations z are float32 [n, d], and so are those of a second batch
that provides the negatives. `where`, bool [n], selects the pairs that take part: the others change
nothing, and an empty mask gives 0 with a gradient of 0.
"""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.numbers import check_above_0
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.masks import all_pairs, fill_masked, log_count, masked_mean
from mmcl.objectives.similarities import negative_squared_distance

BANDWIDTH = 0.7  # h of the kernel, in whitened coordinates
NORM_PENALTY = 0.1  # λ, a soft bound in place of the bounded outputs of the theory


def alignment_max_entropy(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    negatives: Modalities | None = None,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Alignment minus the mean entropy of both modalities (paper Eq. 2): float32 [].

    E‖z_x - z_t‖² + ½ Σ_modalities E_i log mean_j exp(-‖z_i - z'_j‖² / temperature). The entropy is
    a kernel estimate over negatives z' of the same modality, with the positive as one more.

    z:         representations float32 [n, d].
    negatives: representations float32 [n, d] of a second, independent batch, masked by the same
               `where`; None for the other pairs of z.
    """
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    alignment = jnp.sum((z.x - z.t) ** 2, -1)
    count = where.sum() if negatives is None else where.sum() + 1

    def negative_entropy(rows, rows_of_negatives):
        left, right = negative_squared_distance(rows, rows_of_negatives)
        kernel_sum = log_sum_exp(left / temperature, right, where, negatives is None)
        with_positive = jnp.logaddexp(kernel_sum, -alignment / temperature)
        return with_positive - log_count(jnp.maximum(count, 1))

    others = z if negatives is None else fill_masked(negatives, where)
    entropies = negative_entropy(z.x, others.x) + negative_entropy(z.t, others.t)
    return masked_mean(alignment + entropies / 2, where)


def alignment_max_whitened_entropy(
    z: Modalities,
    whitening: Float[Array, "d d"],
    where: Bool[Array, " n"] | None = None,
    norm_penalty: float = NORM_PENALTY,
) -> Float[Array, ""]:
    """Alignment minus the mean entropy of both whitened modalities: float32 [].

    E‖z_x - z_t‖² + ½ Σ_modalities E_i log mean_{j≠i} exp(-‖u_i - u_j‖² / 2h²) + λ E‖z‖², where
    u = z @ `whitening` and z is centred.

    The kernel of `alignment_max_entropy` saturates at the logarithm of the number of negatives;
    then a dimension of low variance is worth less than one that leaks. Here all dimensions have
    the same scale and nothing saturates, so alignment alone determines how far each dimension is
    stretched, up to the soft bound by λ. A larger λ gives shorter representations, and alignment
    gains less from further precision in dimensions that are already learnt.

    Given time it can replace a weak dimension by a function of the others. So use it together with
    `alignment_max_entropy` and at the end, while the learning rate decays (docs/recipes.md).

    z:            representations float32 [n, d].
    whitening:    float32 [d, d], from `whitening_matrix`.
    norm_penalty: λ.
    """
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    centre = jax.lax.stop_gradient((z.x.mean(0) + z.t.mean(0)) / 2)[None]

    def negative_entropy(rows):
        scaled = jnp.matmul(rows - centre, whitening, precision="float32") / (BANDWIDTH * 2**0.5)
        kernel_sum = log_sum_exp(*negative_squared_distance(scaled, scaled), where, True)
        others = jnp.maximum(where.sum() - 1, 1)
        return jnp.where(where.sum() > 1, kernel_sum - log_count(others), 0.0)

    alignment = jnp.sum((z.x - z.t) ** 2, -1)
    norm = jnp.sum((z.x - centre) ** 2 + (z.t - centre) ** 2, -1) / 2
    entropies = negative_entropy(z.x) + negative_entropy(z.t)
    return masked_mean(alignment + norm_penalty * norm + entropies / 2, where)


def whitening_matrix(z: Modalities) -> Float[Array, "d d"]:
    """Returns the matrix that whitens the rows of both modalities, from the right: float32 [d, d].

    No gradient passes through it; columns of zeros stay zeros.
    """
    rows = jax.lax.stop_gradient(jnp.concatenate(z))
    rows = rows - rows.mean(0)[None]
    cov = jnp.matmul(rows.T, rows, precision="float32") / len(rows)
    variances = jnp.diagonal(cov)
    floor = jnp.where(variances > 0, 1e-5 * variances, 1.0)
    root = jnp.linalg.cholesky(cov + jnp.diag(floor))
    return solve_triangular(root, jnp.eye(len(root), dtype=root.dtype), lower=True).T
