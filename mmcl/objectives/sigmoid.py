"""Sigmoid objectives: SigLIP with its best bias, and with a learned temperature and bias.

Each is a function (z, temperature, similarity, where) -> float32 []; lower is better, in nats.
Logits s are similarities / temperature. `where`, bool [n], selects the pairs that take part: the
others change nothing, and an empty mask gives 0 with a gradient of 0. Memory grows with n².
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mmcl.modalities import Modalities
from mmcl.numbers import check_above_0
from mmcl.objectives.masks import all_pairs, fill_masked, log_count, masked_mean
from mmcl.objectives.similarities import Similarity, negative_squared_distance

BISECTIONS = 24  # for the bias of `siglip`: as many as float32 has bits
NEWTON_STEPS = 4  # from an interval of width 1 to the precision of float32
NO_NEGATIVES = 200.0  # logits by which the positive of a single pair exceeds its absent negatives
INITIAL_BIAS = -10.0  # of `siglip_learned`, as in its source


class SigmoidParams(NamedTuple):
    """Trained parameters of `siglip_learned`: logits are exp(log_scale) · similarity + bias.

    log_scale: float32 [], logarithm of the inverse temperature.
    bias:      float32 [].
    """

    log_scale: Float[Array, ""]
    bias: Float[Array, ""]


def siglip(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    similarity: Similarity = negative_squared_distance,
    where: Bool[Array, " n"] | None = None,
) -> Float[Array, ""]:
    """Sigmoid loss of independent pairs (SigLIP, Zhai et al., arXiv 2303.15343): float32 [].

    E_i[-log σ(s_ii + b) - Σ_{j≠i} log σ(-s_ij - b)]. The temperature is an argument, not trained
    (with a trained one: `siglip_learned`).
    The bias b, a parameter in the source, is the one that minimises the loss of the batch: there is
    nothing to initialise, and a shift of all similarities changes nothing. The derivative by b is 0
    at the minimum, so b is a constant for the gradient. Any similarity is allowed; the source uses
    the cosine. A single pair has no negatives, and its loss is 0.

    z: representations float32 [n, d]; matched rows are the positives.
    """
    check_above_0("temperature", temperature)
    where = all_pairs(z, where)
    matched, logits, others = _pair_logits(z, temperature, similarity, where)
    negatives = jax.lax.stop_gradient(jnp.where(others, logits, -jnp.inf))
    positives = jax.lax.stop_gradient(jnp.where(where, matched, jnp.inf))
    return _sigmoid_loss(matched, logits, others, where, bias=_best_bias(positives, negatives))


def siglip_learned(
    z: Modalities,
    temperature: Float[Array, ""] | float,
    similarity: Similarity = negative_squared_distance,
    where: Bool[Array, " n"] | None = None,
    *,
    params: SigmoidParams | None = None,
) -> Float[Array, ""]:
    """Sigmoid loss with a learned temperature and bias (Zhai et al., arXiv 2303.15343): float32 [].

    E_i[-log σ(l_ii) - Σ_{j≠i} log σ(-l_ij)] with logits l = exp(log_scale) · similarity + bias.

    Deviations: the initial temperature is an argument, 0.1 in the source. Any similarity is
    allowed; the source uses the cosine. The parameters have the learning rate and the clipping of
    all others, without weight decay.

    z:           representations float32 [n, d]; matched rows are the positives.
    temperature: of the initial parameters; has no effect if `params` is given.
    params:      None for the initial ones.
    """
    where = all_pairs(z, where)
    params = init_sigmoid_params(temperature) if params is None else params
    matched, logits, others = _pair_logits(z, jnp.exp(-params.log_scale), similarity, where)
    return _sigmoid_loss(matched, logits, others, where, bias=params.bias)


def init_sigmoid_params(temperature: Float[Array, ""] | float) -> SigmoidParams:
    """Returns the parameters before the first step: bias -10, as in the source."""
    check_above_0("temperature", temperature)
    return SigmoidParams(-jnp.log(jnp.float32(temperature)), jnp.float32(INITIAL_BIAS))


def _pair_logits(z: Modalities, temperature, similarity: Similarity, where):
    """Returns the logits of matched pairs [n] and of all [n, n], and the mask of negatives."""
    left, right = similarity(*fill_masked(z, where))
    logits = jnp.matmul(left / temperature, right.T, precision="float32")
    others = where[None] & where[:, None] & ~jnp.eye(len(where), dtype=bool)
    return jnp.diagonal(logits), logits, others


def _sigmoid_loss(matched, logits, others, where, *, bias) -> Float[Array, ""]:
    of_matched = jax.nn.softplus(-matched - bias)
    of_others = jnp.sum(jax.nn.softplus(logits + bias), 1, where=others)
    return masked_mean(of_matched + of_others, where)


@jax.jit
def _best_bias(positives: Float[Array, " n"], negatives: Float[Array, "n n"]) -> Float[Array, ""]:
    """Returns the b at which Σ σ(negatives + b) = Σ σ(-positives - b): float32 [].

    Positives that take no part are inf, negatives -inf. The difference of the sums increases in b.
    Bisection of an interval that contains its root leaves a width of 1 (of 2^-24 of the spread of
    logits, if that is more). From there Newton's method converges: |F''| ≤ F' for a sum F of
    logistic functions, so an error e becomes at most e² at each step.
    """
    highest, lowest, interval = _bias_interval(positives, negatives)

    def excess(bias):
        return _excess_of_negatives(bias, positives, negatives, highest=highest, lowest=lowest)

    def bisect(interval, _):
        low, high = interval
        middle = low + (high - low) / 2
        above = excess(middle)[0] > 0
        return (jnp.where(above, low, middle), jnp.where(above, middle, high)), None

    (low, high), _ = jax.lax.scan(bisect, interval, length=BISECTIONS)

    def newton(bias, _):
        value, slope = excess(bias)
        bias -= value / jnp.maximum(slope, jnp.finfo(slope).tiny)
        return jnp.clip(bias, low, high), None

    return jax.lax.scan(newton, low + (high - low) / 2, length=NEWTON_STEPS)[0]


def _bias_interval(positives, negatives):
    """Returns the highest negative, the lowest positive, and an interval that contains the bias.

    Between the least and the largest possible sum of the negatives is a factor of their number, and
    likewise for the positives. A factor of 2 each bounds σ(a) by min(1, exp a).
    """
    count_positives = jnp.maximum(jnp.isfinite(positives).sum(), 1)
    count_negatives = jnp.maximum(jnp.isfinite(negatives).sum(), 1)
    lowest, highest = positives.min(), negatives.max()
    lowest = jnp.where(jnp.isinf(lowest), 0.0, lowest)
    highest = jnp.where(jnp.isinf(highest), lowest - NO_NEGATIVES, highest)
    between = highest + (lowest - highest) / 2
    low = -jnp.maximum(highest, between) - log_count(2 * count_negatives)
    high = -jnp.minimum(lowest, between) + log_count(2 * count_positives)
    return highest, lowest, (low, high)


def _excess_of_negatives(bias, positives, negatives, *, highest, lowest):
    """Returns Σ σ(negatives + b) - Σ σ(-positives - b) and its slope by b, times one factor.

    The factor makes the largest term about 1, so that the sums cannot underflow.
    """
    scale = jnp.minimum(jnp.maximum(highest + bias, -lowest - bias), 0.0)

    def sums(exponents):
        tail = jnp.exp(-jnp.abs(exponents))
        terms = jnp.exp(jnp.minimum(exponents, 0.0) - scale) / (1 + tail)
        complements = jnp.where(exponents > 0, tail, 1.0) / (1 + tail)
        return terms.sum(), (terms * complements).sum()

    value_negatives, slope_negatives = sums(negatives + bias)
    value_positives, slope_positives = sums(-positives - bias)
    return value_negatives - value_positives, slope_negatives + slope_positives
