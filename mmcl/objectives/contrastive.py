"""Contrasts: other ways than InfoNCE to tell matched pairs from mismatched ones across modalities.

Each is (z, temperature, similarity, where) -> float32 []; lower is better, in nats. Logits are
similarities / temperature. Pairs outside `where` change nothing; an empty mask gives 0 with a
gradient of 0.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.masks import all_pairs, fill_masked, masked_mean
from mmcl.objectives.similarities import Similarity, negative_squared_distance

NEWTON_STEPS = 5  # for the bias of `siglip`
TINY = 1e-30  # keeps logarithms of sums that underflow finite


def symmetric_infonce(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    similarity: Similarity = negative_squared_distance,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Symmetric InfoNCE over cross-modal negatives (paper Eq. 1): float32 [].

    z holds representations float32 [n, d]; matched rows are the positives.
    """
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    left, right = similarity(z.x, z.t)
    left = left / temperature
    positives = jnp.sum(left * right, 1)
    columns = where | ~where.any()  # some to take part, so that an empty mask is finite too
    sums = log_sum_exp(left, right, columns, False) + log_sum_exp(right, left, columns, False)
    return masked_mean(sums / 2 - jnp.log(columns.sum()) - positives, where)


def decoupled_infonce(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    similarity: Similarity = negative_squared_distance,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Decoupled contrastive learning (Yeh et al., arXiv 2110.06848), symmetric: float32 [].

    InfoNCE without the positive among the negatives: E[½ log mean_{j≠i} exp(s_ij) + ½ log
    mean_{j≠i} exp(s_ji) - s_ii]. So nothing saturates, and nothing bounds it from below but a
    bounded similarity: with the distance or the dot product the scale of z is free to grow.
    z: float32 [n, d]; matched rows are the positives. A lone pair has no negatives, and -s_ii.
    """
    where = all_pairs(z, where)
    left, right = similarity(*fill_masked(z, where))
    left = left / temperature
    sums = log_sum_exp(left, right, where, True) + log_sum_exp(right, left, where, True)
    negatives = sums / 2 - jnp.log(jnp.maximum(where.sum() - 1, 1))
    negatives = jnp.where(jnp.isfinite(negatives), negatives, 0.0)
    return masked_mean(negatives - jnp.sum(left * right, 1), where)


def siglip(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    similarity: Similarity = negative_squared_distance,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Sigmoid loss, each pair by itself (SigLIP, Zhai et al., arXiv 2303.15343): float32 [].

    E_i[-log σ(s_ii + b) - Σ_{j≠i} log σ(-s_ij - b)]. The temperature is the caller's, not trained.
    The bias b, a parameter in the source, is for each batch the one that minimises the loss: there
    is nothing to initialise, and a shift of all similarities changes nothing. At its minimum a
    derivative by b is 0, so none is taken. z: float32 [n, d]; matched rows are the positives.
    Memory grows with n².
    """
    where = all_pairs(z, where)
    left, right = similarity(*fill_masked(z, where))
    logits = jnp.matmul(left / temperature, right.T, precision="float32")
    matched = jnp.diagonal(logits)
    others = where[None] & where[:, None] & ~jnp.eye(len(where), dtype=bool)
    bias = jax.lax.stop_gradient(_best_bias(matched, where, logits, others))
    misses = jax.nn.softplus(-matched - bias)
    alarms = jnp.sum(jax.nn.softplus(logits + bias), 1, where=others)
    return masked_mean(misses + alarms, where)


def _best_bias(matched, where, logits, others):
    """Where Σ_others σ(s + b) equals Σ_matched σ(-s - b), by Newton's method on logarithms.

    Their difference is close to a straight line in b, however well pairs are told apart.
    """

    def newton(bias, _):
        alarm, miss = jax.nn.sigmoid(logits + bias), jax.nn.sigmoid(-matched - bias)
        alarms = jnp.sum(alarm, where=others) + TINY
        misses = jnp.sum(miss, where=where) + TINY
        slope = jnp.sum(alarm * (1 - alarm), where=others) / alarms
        slope = slope + jnp.sum(miss * (1 - miss), where=where) / misses
        return bias - (jnp.log(alarms) - jnp.log(misses)) / jnp.maximum(slope, 0.25), None

    highest = jnp.max(logits, where=others, initial=-jnp.inf)
    start = -jnp.maximum(
        highest, masked_mean(matched, where)
    )  # where no sum that counts underflows
    return jax.lax.scan(newton, start, length=NEWTON_STEPS)[0]
