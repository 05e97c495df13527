"""Downstream: regression and classification on a frozen representation, before and after a shift.

Outcomes are functions of the first 3, 5, 7 and 9 semantics (paper section 5.1 and figure 4). Heads
are the MLP probes, trained five times as long: Adam at 1e-2 with cosine decay for 2,000 steps. The
paper takes 10,000 steps at 1e-3. The regression head fits the residuals of a ridge regression.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from probes.arguments import check_at_least, check_columns, check_floats, check_rows
from probes.metrics import matthews, r2
from probes.predictors.classification import mlp_binary
from probes.predictors.regression import mlp

OUTCOMES = {"y1": 3, "y2": 5, "y3": 7, "y4": 9}  # name -> number of semantics it depends on
LABEL = "y2"  # the outcome that is also classified, as high or low
STEPS = 2000  # training steps of a head
VARIANTS = {  # name -> weight of e^-|s|, threshold between low and high
    "paper": (0.4, "median"),
    "reference": (0.6, "two_means"),
}


class Environments(NamedTuple):
    """Rows of one array in three environments.

    fit:     rows to fit on.
    same:    rows to test on, of the same distribution.
    shifted: rows to test on, with shifted semantics.
    """

    fit: Float[Array, "n ..."]
    same: Float[Array, "m ..."]
    shifted: Float[Array, "m ..."]


class DownstreamScores(NamedTuple):
    """Scores in the environments `same` and `shifted`, in this order.

    r2:       float32 [2, 4], of the outcomes.
    matthews: float32 [2], Matthews correlation of predicted and true labels.
    """

    r2: Float[Array, "2 outcomes"]
    matthews: Float[Array, " 2"]


@partial(jax.jit, static_argnames="variant")
def downstream_scores(
    key: Key[Array, ""], features: Environments, s: Environments, variant: str = "paper"
) -> DownstreamScores:
    """Returns scores of heads on features [n, d], fitted to outcomes of the true semantics s.

    s:       float32 [n, n_s], in the rows of `features`.
    variant: "paper", or "reference" for the weight of e^-|s| and the label of the reference code.

    NaN in a semantic makes the scores of the outcomes NaN that depend on it. Raises ValueError for
    shapes that do not match, another dtype, fewer than 9 semantics, or an unknown variant.
    """
    _check_environments(features, s)
    if variant not in VARIANTS:
        raise ValueError(f"variant is {variant!r}: allowed is one of {', '.join(VARIANTS)}")
    weight, threshold_name = VARIANTS[variant]
    y = Environments(*(outcomes(part, weight) for part in s))
    index = list(OUTCOMES).index(LABEL)
    threshold = THRESHOLDS[threshold_name](y.fit[:, index])
    high = Environments(*(_labels(part[:, index] - threshold) for part in y))
    queries = jnp.concatenate([features.same, features.shifted])
    key_regression, key_classification = jax.random.split(key)
    predicted = mlp(key_regression, features.fit, y.fit, queries, steps=STEPS)
    labels = mlp_binary(key_classification, features.fit, high.fit, queries, steps=STEPS)
    count = len(features.same)
    return DownstreamScores(
        jnp.stack([r2(y.same, predicted[:count]), r2(y.shifted, predicted[count:])]),
        jnp.stack([matthews(high.same, labels[:count]), matthews(high.shifted, labels[count:])]),
    )


def _check_environments(features, s):
    for name in Environments._fields:
        rows = {f"features.{name}": getattr(features, name), f"s.{name}": getattr(s, name)}
        check_floats(**rows)
        check_rows(**rows)
        check_columns(
            **{"features.fit": features.fit, f"features.{name}": rows[f"features.{name}"]}
        )
        check_at_least(
            max(OUTCOMES.values()), **{f"columns of s.{name}": rows[f"s.{name}"].shape[1]}
        )


def _labels(excess):
    """1 for an outcome above the threshold, 0 below, -1 for NaN."""
    return jnp.where(jnp.isnan(excess), -1, (excess > 0).astype(jnp.int32))


def outcomes(s: Float[Array, "n n_s"], weight: float = 0.4) -> Float[Array, "n outcomes"]:
    """Returns the outcomes y1 to y4 of semantics (paper section 5.1): float32 [n, 4].

    weight: of e^-|s|.
    """
    return jnp.stack([_outcome(s[:, :size], weight) for size in OUTCOMES.values()], axis=1)


def _outcome(s, weight):
    """Σs² + 0.3Σs³ + 0.5Σ_{i<j} s_i s_j + 0.2Σ_{i<j<k} s_i s_j s_k + 0.7Σ(sin s + cos s) + ..."""
    p1, p2, p3 = s.sum(1), (s**2).sum(1), (s**3).sum(1)
    pairs = (p1**2 - p2) / 2  # Newton's identities
    triples = (p1**3 - 3 * p1 * p2 + 2 * p3) / 6
    periodic = (jnp.sin(s) + jnp.cos(s)).sum(1)
    size = jnp.abs(s)
    of_size = 0.4 * jnp.log1p(size).sum(1) + weight * jnp.exp(-size).sum(1)
    return p2 + 0.3 * p3 + 0.5 * pairs + 0.2 * triples + 0.7 * periodic + of_size


def _two_means(values):
    """Returns the threshold between two clusters of numbers, by Lloyd's algorithm from the mean."""

    def iterate(_, threshold):
        high = values > threshold
        mean_of = lambda where: jnp.sum(values * where) / jnp.maximum(where.sum(), 1)
        return (mean_of(high) + mean_of(~high)) / 2

    return jax.lax.fori_loop(0, 100, iterate, values.mean())


THRESHOLDS = {"median": jnp.median, "two_means": _two_means}
