"""Objectives: what two representations are trained to do. Lower is better, in nats.

An objective takes the representations of a batch of pairs and, if its negatives come from a second
batch, the representations of that too. Masks over pairs are `where=` arguments: `True` takes part,
the pairs left out change nothing, and an empty mask gives 0 with a gradient of 0.
"""

import jax
import jax.numpy as jnp
from jax.scipy.linalg import solve_triangular
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.masks import all_pairs, fill_masked, masked_mean
from mmcl.objectives.similarities import negative_squared_distance

BANDWIDTH = 0.7  # h of the kernel in white coordinates
NORM_PENALTY = 0.1  # λ, stands for the bounded outputs of the theory


def alignment_max_entropy(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    negatives: Modalities | None = None,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Alignment minus the mean entropy of both modalities (paper Eq. 2): float32 [].

    E‖z_x - z_t‖² + ½ Σ_modalities E_i log mean_j exp(-‖z_i - z'_j‖² / temperature): the entropy is
    a kernel estimate over negatives of the same modality, among them the positive as one more.
    z holds representations float32 [n, d]. The negatives are a second, independent batch float32
    [n, d] masked by the same `where`, or, if None, the other pairs of z itself.
    """
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    alignment = jnp.sum((z.x - z.t) ** 2, -1)
    count = where.sum() if negatives is None else where.sum() + 1

    def negative_entropy(own, other):
        left, right = negative_squared_distance(own, other)
        kernel_sum = log_sum_exp(left / temperature, right, where, negatives is None)
        with_positive = jnp.logaddexp(kernel_sum, -alignment / temperature)
        return with_positive - jnp.log(jnp.maximum(count, 1))

    others = z if negatives is None else fill_masked(negatives, where)
    entropies = negative_entropy(z.x, others.x) + negative_entropy(z.t, others.t)
    return masked_mean(alignment + entropies / 2, where)


def alignment_max_whitened_entropy(
    z: Modalities,
    whitening: Float[Array, "d d"],
    where: Bool[Array, " n"] | None = None,
    norm_penalty: float = NORM_PENALTY,
) -> Float[Array, ""]:
    """Alignment minus entropies, each measured where representations are white: float32 [].

    E‖z_x - z_t‖² + ½ Σ_modalities E_i log mean_{j≠i} exp(-‖u_i - u_j‖² / 2h²) + λ E‖z‖², where
    u = z @ `whitening`, from `whitening_matrix`. The kernel of `alignment_max_entropy`
    saturates at the logarithm of the number of negatives; from there on a dimension of low variance
    is worth less than one that leaks. This one sees all dimensions on one scale and does not
    saturate, so that alignment alone decides how far each is stretched, up to the soft bound by
    λ = `norm_penalty`: the larger, the shorter representations are, and the less alignment has to
    gain by the last digits of what is there already.
    Given time it takes a function of dimensions it has for a new one and lets a weak one go: use it
    with the other and at the end, while the learning rate fades (docs/recipes.md).
    """
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    centre = jax.lax.stop_gradient((z.x.mean(0) + z.t.mean(0)) / 2)[None]

    def negative_entropy(rows):
        white = jnp.matmul(rows - centre, whitening, precision="float32") / (BANDWIDTH * 2**0.5)
        kernel_sum = log_sum_exp(*negative_squared_distance(white, white), where, True)
        others = jnp.maximum(where.sum() - 1, 1)
        return jnp.where(jnp.isfinite(kernel_sum), kernel_sum - jnp.log(others), 0.0)

    alignment = jnp.sum((z.x - z.t) ** 2, -1)
    norm = jnp.sum((z.x - centre) ** 2 + (z.t - centre) ** 2, -1) / 2
    entropies = negative_entropy(z.x) + negative_entropy(z.t)
    return masked_mean(alignment + norm_penalty * norm + entropies / 2, where)


def whitening_matrix(z: Modalities) -> Float[Array, "d d"]:
    """What makes the rows of both modalities white when multiplied from the right: float32 [d, d].

    A constant for the gradient; columns that are 0 stay as they are.
    """
    rows = jax.lax.stop_gradient(jnp.concatenate(z))
    rows = rows - rows.mean(0)[None]
    cov = jnp.matmul(rows.T, rows, precision="float32") / len(rows)
    variances = jnp.diagonal(cov)
    floor = jnp.where(variances > 0, 1e-5 * variances, 1.0)
    root = jnp.linalg.cholesky(cov + jnp.diag(floor))
    return solve_triangular(root, jnp.eye(len(root)), lower=True).T
