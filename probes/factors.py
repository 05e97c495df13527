"""Factors: how much of each factor of an image a representation holds.

A factor is a label (the shape of an object, the phrasing of a caption), scored by the Matthews
correlation of a classifier, or a value (a hue, an angle), scored by the R² of a regression. Each
has a fit of its own. `attainable` is the yardstick, as in `identifiability`: the same probe on what
captions truly tell, the unbiased factors.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from probes.identifiability import Split
from probes.metrics import matthews, r2
from probes.predictors.classification import Classifier
from probes.predictors.regression import Probe


class FactorScores(NamedTuple):
    """Scores of k factors, float32: from r representations, and attainable."""

    measured: Float[Array, "r k"]
    attainable: Float[Array, " k"]


def factor_scores(
    score: Callable[[Split], Float[Array, " k"]], representations: Split, truth: Split
) -> FactorScores:
    """Scores from representations [r, n, d] and from the true unbiased factors, features [n, p].

    `score` is `factor_matthews` or `factor_r2` of some factors; for `truth` see `one_hots`.
    """
    return FactorScores(jax.lax.map(score, representations), score(truth))


def factor_matthews(
    key: Key[Array, ""], classifier: Classifier, labels: Split, features: Split, *, classes: int
) -> Float[Array, " k"]:
    """How well a classifier tells labels, int [n, k], from features [n, d], on the test rows.

    Labels have at most `classes` values, 0 to classes - 1. With `logistic` on few rows it is cheap
    enough to follow training.
    """

    def score(of_factor):
        key, fit, test = of_factor
        return matthews(
            test, classifier(key, features.fit, fit, features.test, classes=classes), classes
        )

    keys = jax.random.split(key, labels.fit.shape[1])
    return jax.lax.map(score, (keys, labels.fit.T, labels.test.T))


def factor_r2(
    key: Key[Array, ""], probe: Probe, values: Split, features: Split
) -> Float[Array, " k"]:
    """How well a probe predicts values, float [n, k], from features [n, d], on the test rows."""
    return r2(values.test, probe(key, features.fit, values.fit, features.test))


def one_hots(
    factors: Int[Array, "n k"], where: Bool[Array, " k"], sizes: Sequence[int]
) -> Float[Array, "n p"]:
    """Those of the factors in `where`, side by side: float32 [n, Σ sizes]; the others are 0."""
    columns = [
        jax.nn.one_hot(factors[:, place], size) * where[place] for place, size in enumerate(sizes)
    ]
    return jnp.concatenate(columns, axis=1)
