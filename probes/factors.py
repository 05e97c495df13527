"""Factors: how much of each discrete factor a representation holds.

Factors are labels: number, colour, shading and shape of an image, or the phrasing of a caption.
Each has a classifier of its own, scored by Matthews correlation. `attainable` is the yardstick, as
in `identifiability`: the same classifier on the true unbiased factors.
"""

from typing import NamedTuple

import jax
from jaxtyping import Array, Bool, Float, Key

from probes.classification import Classifier
from probes.identifiability import Split
from probes.metrics import matthews


class FactorScores(NamedTuple):
    """Matthews correlation of k factors, float32: from r representations, and attainable."""

    measured: Float[Array, "r k"]
    attainable: Float[Array, " k"]


def factor_scores(
    key: Key[Array, ""],
    classifier: Classifier,
    representations: Split,
    factors: Split,
    unbiased: Bool[Array, " k"],
    classes: int,
) -> FactorScores:
    """Scores of int factors [n, k] from representations [r, n, d] and from the unbiased factors.

    Factors have at most `classes` values, 0 to classes - 1.
    """
    truth = Split(*(_one_hots(part, unbiased, classes) for part in factors))
    score = lambda features: factor_matthews(key, classifier, features, factors, classes)
    return FactorScores(jax.lax.map(score, representations), score(truth))


def factor_matthews(
    key: Key[Array, ""], classifier: Classifier, features: Split, factors: Split, classes: int
) -> Float[Array, " k"]:
    """How well a classifier labels every factor from features [n, d]: Matthews on the test rows.

    With `logistic` on few rows it is cheap enough to follow training.
    """

    def score(of_factor):
        key, fit, test = of_factor
        return matthews(test, classifier(key, features.fit, fit, features.test, classes), classes)

    keys = jax.random.split(key, factors.fit.shape[1])
    return jax.lax.map(score, (keys, factors.fit.T, factors.test.T))


def _one_hots(factors, where, classes):
    """Those of the factors in `where`, side by side; the others are 0."""
    one_hots = jax.nn.one_hot(factors, classes) * where[None, :, None]
    return one_hots.reshape(len(factors), -1)
