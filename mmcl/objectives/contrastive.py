"""Contrastive objectives: InfoNCE and others that compare matched with mismatched pairs.

Each is a function (z, temperature, similarity, where) -> float32 []; lower is better, in nats.
Logits s are similarities / temperature. `where`, bool [n], selects the pairs that take part: the
others change nothing, and an empty mask gives 0 with a gradient of 0.
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

    z: representations float32 [n, d]; matched rows are the positives.
    """
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    left, right = similarity(z.x, z.t)
    left = left / temperature
    positives = jnp.sum(left * right, 1)
    columns = where | ~where.any()  # all for an empty mask, to keep its value finite
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
    mean_{j≠i} exp(s_ji) - s_ii]. It does not saturate, and only a bounded similarity bounds it from
    below: with the distance or the dot product the scale of z can grow without limit. A single pair
    has no negatives, and its loss is -s_ii.

    z: representations float32 [n, d]; matched rows are the positives.
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
    """Sigmoid loss of independent pairs (SigLIP, Zhai et al., arXiv 2303.15343): float32 [].

    E_i[-log σ(s_ii + b) - Σ_{j≠i} log σ(-s_ij - b)]. The temperature is an argument, not trained.
    The bias b, a parameter in the source, is the one that minimises the loss of the batch: there is
    nothing to initialise, and a shift of all similarities changes nothing. The derivative by b is 0
    at the minimum, so b is a constant for the gradient. Memory grows with n².

    z: representations float32 [n, d]; matched rows are the positives.
    """
    where = all_pairs(z, where)
    left, right = similarity(*fill_masked(z, where))
    logits = jnp.matmul(left / temperature, right.T, precision="float32")
    matched = jnp.diagonal(logits)
    others = where[None] & where[:, None] & ~jnp.eye(len(where), dtype=bool)
    bias = jax.lax.stop_gradient(_best_bias(matched, where, logits, others))
    of_matched = jax.nn.softplus(-matched - bias)
    of_others = jnp.sum(jax.nn.softplus(logits + bias), 1, where=others)
    return masked_mean(of_matched + of_others, where)


def _best_bias(matched, where, logits, others):
    """Returns the b at which Σ_others σ(s + b) = Σ_matched σ(-s - b), by Newton's method.

    It solves for equal logarithms, whose difference is almost linear in b even where matched and
    mismatched pairs are well separated.
    """

    def newton(bias, _):
        of_others, of_matched = jax.nn.sigmoid(logits + bias), jax.nn.sigmoid(-matched - bias)
        sum_others = jnp.sum(of_others, where=others) + TINY
        sum_matched = jnp.sum(of_matched, where=where) + TINY
        slope = jnp.sum(of_others * (1 - of_others), where=others) / sum_others
        slope = slope + jnp.sum(of_matched * (1 - of_matched), where=where) / sum_matched
        gap = jnp.log(sum_others) - jnp.log(sum_matched)
        return bias - gap / jnp.maximum(slope, 0.25), None

    highest = jnp.max(logits, where=others, initial=-jnp.inf)
    start = -jnp.maximum(highest, masked_mean(matched, where))  # here neither sum underflows
    return jax.lax.scan(newton, start, length=NEWTON_STEPS)[0]
