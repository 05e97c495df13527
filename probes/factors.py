"""Factors: scores of each factor of an image or caption, predicted from a representation.

A factor is a label (the shape of an object, the phrasing of a caption), scored by the Matthews
correlation of a classifier, or a value (a hue, an angle), scored by the R² of a regression. Each
factor is fitted separately.
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
    """Scores of k factors.

    measured:   float32 [r, k], from each of r representations.
    attainable: float32 [k], from the true unbiased factors with the same probe, to compare with.
    """

    measured: Float[Array, "r k"]
    attainable: Float[Array, " k"]


def factor_scores(
    score: Callable[[Split], Float[Array, " k"]],
    representations: Split,
    truth: Split,
) -> FactorScores:
    """Returns scores from representations [r, n, d] and from the true unbiased factors.

    One key, bound in `score`, serves the fits of the same probe on each representation and on the
    true factors, so that measured and attainable scores differ by their features alone.

    score: features [n, d] -> scores of k factors; `factor_matthews` or `factor_r2` with their first
           arguments bound.
    truth: float32 [n, p], the unbiased factors as `one_hots`.
    """
    return FactorScores(jax.lax.map(score, representations), score(truth))


def factor_matthews(
    key: Key[Array, ""],
    classifier: Classifier,
    labels: Split,
    features: Split,
    *,
    classes: int,
) -> Float[Array, " k"]:
    """Returns the Matthews correlation of k labels with a classifier's predictions: float32 [k].

    With `logistic` on few rows it is cheap enough to monitor training.

    labels:   int [n, k], from 0 to classes - 1; classifiers fit the `fit` rows and predict the
              `test` rows.
    features: float32 [n, d].
    """

    def score(key_and_labels):
        key, fit, test = key_and_labels
        predicted = classifier(key, features.fit, fit, features.test, classes=classes)
        return matthews(test, predicted, classes)

    keys = jax.random.split(key, labels.fit.shape[1])
    return jax.lax.map(score, (keys, labels.fit.T, labels.test.T))


def factor_r2(
    key: Key[Array, ""], probe: Probe, values: Split, features: Split
) -> Float[Array, " k"]:
    """Returns R² of values [n, k] predicted from features [n, d], on the test rows: float32 [k]."""
    return r2(values.test, probe(key, features.fit, values.fit, features.test))


def one_hots(
    factors: Int[Array, "n k"], where: Bool[Array, " k"], sizes: Sequence[int]
) -> Float[Array, "n p"]:
    """Returns concatenated one-hots of the factors, 0 outside `where`: float32 [n, Σ sizes].

    sizes: number of values of each factor.
    """
    columns = [
        jax.nn.one_hot(factors[:, index], size) * where[index] for index, size in enumerate(sizes)
    ]
    return jnp.concatenate(columns, axis=1)
