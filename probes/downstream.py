"""Downstream: what a frozen representation is good for, also where some semantics have shifted.

Outcomes are functions of the first 3, 5, 7 and 9 semantics (paper section 5.1 and figure 4). Heads
are those of the probes, trained five times as long: Adam at 1e-2 with cosine decay for 2,000 steps,
where the paper takes 10,000 at 1e-3; the regression head begins with a ridge regression.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from probes.metrics import matthews, r2
from probes.predictors.classification import mlp_binary
from probes.predictors.regression import mlp

OUTCOMES = {"y1": 3, "y2": 5, "y3": 7, "y4": 9}  # name -> how many semantics it depends on
LABEL = "y2"  # the outcome that is also classified, as high or low
STEPS = 2000  # of a head's training
VARIANTS = {"paper": (0.4, "median"), "reference": (0.6, "two_means")}


class Environments(NamedTuple):
    """Rows to fit on, fresh rows of the same kind, and rows whose semantics have shifted."""

    fit: Float[Array, "n ..."]
    same: Float[Array, "m ..."]
    shifted: Float[Array, "m ..."]


class DownstreamScores(NamedTuple):
    """Scores in the `same` and in the `shifted` environment, in this order; float32.

    r2: of the outcomes [2, 4]; matthews: correlation of predicted and true labels [2].
    """

    r2: Float[Array, "2 outcomes"]
    matthews: Float[Array, " 2"]


def downstream_scores(
    key: Key[Array, ""], features: Environments, s: Environments, variant: str = "paper"
) -> DownstreamScores:
    """Scores of heads on features [n, d] that are fitted to outcomes of the true semantics s."""
    weight, split = VARIANTS[variant]
    y = Environments(*(outcomes(part, weight) for part in s))
    place = list(OUTCOMES).index(LABEL)
    threshold = SPLITS[split](y.fit[:, place])
    high = Environments(*(part[:, place] > threshold for part in y))
    queries = jnp.concatenate([features.same, features.shifted])
    key_regression, key_classification = jax.random.split(key)
    predicted = mlp(key_regression, features.fit, y.fit, queries, steps=STEPS)
    labels = mlp_binary(key_classification, features.fit, high.fit, queries, steps=STEPS)
    count = len(features.same)
    return DownstreamScores(
        jnp.stack([r2(y.same, predicted[:count]), r2(y.shifted, predicted[count:])]),
        jnp.stack([matthews(high.same, labels[:count]), matthews(high.shifted, labels[count:])]),
    )


def outcomes(s: Float[Array, "n n_s"], weight: float = 0.4) -> Float[Array, "n outcomes"]:
    """The outcomes y1 to y4 of semantics; `weight` is that of e^-|s| (paper section 5.1)."""
    return jnp.stack([_outcome(s[:, :size], weight) for size in OUTCOMES.values()], axis=1)


def _outcome(s, weight):
    """Σs² + 0.3Σs³ + 0.5Σ_{i<j} s_i s_j + 0.2Σ_{i<j<k} s_i s_j s_k + 0.7Σ(sin s + cos s) + ..."""
    p1, p2, p3 = s.sum(1), (s**2).sum(1), (s**3).sum(1)
    pairs = (p1**2 - p2) / 2  # Newton's identities
    triples = (p1**3 - 3 * p1 * p2 + 2 * p3) / 6
    waves = (jnp.sin(s) + jnp.cos(s)).sum(1)
    size = jnp.abs(s)
    flat = 0.4 * jnp.log1p(size).sum(1) + weight * jnp.exp(-size).sum(1)
    return p2 + 0.3 * p3 + 0.5 * pairs + 0.2 * triples + 0.7 * waves + flat


def _two_means(values):
    """The threshold between two clusters of numbers, by Lloyd's iterations from their mean."""

    def move(_, threshold):
        high = values > threshold
        mean_of = lambda where: jnp.sum(values * where) / jnp.maximum(where.sum(), 1)
        return (mean_of(high) + mean_of(~high)) / 2

    return jax.lax.fori_loop(0, 100, move, values.mean())


SPLITS = {"median": jnp.median, "two_means": _two_means}
