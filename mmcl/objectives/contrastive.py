"""Contrastive objectives: InfoNCE and variants of it, with other negatives.

Each is a function (z, temperature, similarity, where) -> float32 []; lower is better, in nats.
`infonce_intra_modal` has no argument `similarity`.
Logits s are similarities / temperature. `where`, bool [n], selects the pairs that take part: the
others change nothing, and an empty mask gives 0 with a gradient of 0.
"""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.numbers import check_above_0
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.masks import all_pairs, fill_masked, log_count, masked_mean
from mmcl.objectives.similarities import Similarity, cosine, negative_squared_distance


def symmetric_infonce(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    similarity: Similarity = negative_squared_distance,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Symmetric InfoNCE over cross-modal negatives (paper Eq. 1): float32 [].

    z: representations float32 [n, d]; matched rows are the positives.
    """
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    left, right = similarity(z.x, z.t)
    left = left / temperature
    positives = jnp.sum(left * right, 1)
    columns = where | ~where.any()  # all for an empty mask, to keep its value finite
    sums = log_sum_exp(left, right, columns, False) + log_sum_exp(right, left, columns, False)
    return masked_mean(sums / 2 - log_count(columns.sum()) - positives, where)


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

    Deviations from the source: negatives are of the other modality only (with both:
    `decoupled_infonce_intra_modal`), the logarithm is of a mean, not of a sum, the two directions
    are averaged, not added, and any similarity is allowed; the source uses the cosine. Its
    weighting of positives (DCLW) is not implemented.

    z: representations float32 [n, d]; matched rows are the positives.
    """
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    left, right = similarity(*fill_masked(z, where))
    left = left / temperature
    sums = log_sum_exp(left, right, where, True) + log_sum_exp(right, left, where, True)
    negatives = sums / 2 - log_count(jnp.maximum(where.sum() - 1, 1))
    negatives = jnp.where(where.sum() > 1, negatives, 0.0)
    return masked_mean(negatives - jnp.sum(left * right, 1), where)


def infonce_intra_modal(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """InfoNCE of 2n candidates, with negatives of both modalities (NT-Xent): float32 [].

    Mean over the 2n representations a_i, with positive p_i in the other modality and the cosine
    similarity s, of -s(a_i, p_i) + log [Σ_j exp s(a_i, p_j) + Σ_{j≠i} exp s(a_i, a_j)], the cross
    entropy of the positive among 2n - 1 candidates. This is the loss of SimCLR (Chen et al.,
    arXiv 2002.05709) for two modalities in place of two augmentations, and that of the reference
    code of the paper (arXiv 2504.10143) for images.

    Deviations: none in the loss. There is no projection head: z are the representations.

    z: representations float32 [n, d]; matched rows are the positives.
    """
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    columns = where | ~where.any()  # all for an empty mask, to keep its value finite
    z = fill_masked(z, where)
    left, right = cosine(z.x, z.t)
    left = left / temperature
    of_x = log_sum_exp(left, right, columns, False), _within(cosine, z.x, temperature, columns)
    of_t = log_sum_exp(right, left, columns, False), _within(cosine, z.t, temperature, columns)
    sums = jnp.logaddexp(*of_x) + jnp.logaddexp(*of_t)
    return masked_mean(sums / 2 - jnp.sum(left * right, 1), where)


def decoupled_infonce_intra_modal(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    similarity: Similarity = negative_squared_distance,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Decoupled contrastive learning with negatives of both modalities: float32 [].

    Yeh et al., arXiv 2110.06848, Eq. 6. Mean over the 2n representations a_i, with positive p_i in
    the other modality, of -s(a_i, p_i) + log mean_{j≠i} {exp s(a_i, p_j), exp s(a_i, a_j)}. A
    single pair has no negatives, and its loss is -s_ii.

    Deviations: the logarithm is of the mean over the 2 (n - 1) negatives, not of their sum, and the
    two directions are averaged, not added; neither changes the direction of the gradient. Any
    similarity is allowed; the source uses the cosine. Its weighting of positives (DCLW) is not
    implemented.

    z: representations float32 [n, d]; matched rows are the positives.
    """
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    z = fill_masked(z, where)
    left, right = similarity(z.x, z.t)
    left = left / temperature
    has_negatives = where.sum() > 1

    def negatives(anchors, a, b):
        cross = log_sum_exp(a, b, where, True)
        within = _within(similarity, anchors, temperature, where)
        # 0 in place of -inf first: the derivative of logaddexp is NaN at -inf, -inf
        both = jnp.logaddexp(*(jnp.where(has_negatives, part, 0.0) for part in (cross, within)))
        count = 2 * jnp.maximum(where.sum() - 1, 1)
        return jnp.where(has_negatives, both - log_count(count), 0.0)

    of_both = (negatives(z.x, left, right) + negatives(z.t, right, left)) / 2
    return masked_mean(of_both - jnp.sum(left * right, 1), where)


def _within(similarity: Similarity, rows, temperature, where) -> Float[Array, " n"]:
    """Returns log Σ_{j≠i} exp(s(rows_i, rows_j) / temperature): float32 [n]; -inf if empty."""
    left, right = similarity(rows, rows)
    return log_sum_exp(left / temperature, right, where, True)
