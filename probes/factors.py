"""Factors: scores of each factor of an image or caption, predicted from a representation.

A factor is a label (the shape of an object, the phrasing of a caption), scored by the Matthews
correlation of a classifier, or a value (a hue, an angle), scored by the R² of a regression. Each
factor is fitted separately.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from probes.arguments import (
    check_at_least,
    check_columns,
    check_labels,
    check_mask,
    check_rows,
    check_splits,
)
from probes.identifiability import Split
from probes.metrics import matthews, r2
from probes.predictors.classification import Classifier
from probes.predictors.regression import Probe, predict


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
    check_splits(3, representations=representations)
    # a loop, as `score` is mostly a new function, which would be compiled again within a scan
    measured = [score(Split(*parts)) for parts in zip(*representations, strict=True)]
    return FactorScores(jnp.stack(measured), score(truth))


@partial(jax.jit, static_argnames=("classifier", "classes"))
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

    NaN in the features to fit gives NaN, as does a label that is not a class, in the score of its
    factor alone. Raises ValueError for shapes that do not match, another dtype, or fewer than 2
    classes.
    """
    check_splits(features=features)
    check_labels(2, **{"labels.fit": labels.fit, "labels.test": labels.test})
    check_columns(**{"labels.fit": labels.fit, "labels.test": labels.test})
    check_rows(**{"features.fit": features.fit, "labels.fit": labels.fit})
    check_rows(**{"features.test": features.test, "labels.test": labels.test})
    check_at_least(2, classes=classes)

    def score(key_and_labels):
        key, fit, test = key_and_labels
        predicted = classifier(key, features.fit, fit, features.test, classes=classes)
        return matthews(test, predicted, classes)

    keys = jax.random.split(key, labels.fit.shape[1])
    return jax.lax.map(score, (keys, labels.fit.T, labels.test.T))


@partial(jax.jit, static_argnames="probe")
def factor_r2(
    key: Key[Array, ""], probe: Probe, values: Split, features: Split
) -> Float[Array, " k"]:
    """Returns R² of values [n, k] predicted from features [n, d], on the test rows: float32 [k].

    Raises ValueError for shapes that do not match, or another dtype.
    """
    check_splits(values=values, features=features)
    predictions = predict(probe, key, features.fit, values.fit, queries=features.test)
    return r2(values.test, predictions)


def one_hots(
    factors: Int[Array, "n k"], where: Bool[Array, " k"], sizes: Sequence[int]
) -> Float[Array, "n p"]:
    """Returns concatenated one-hots of the factors, 0 outside `where`: float32 [n, Σ sizes].

    sizes: number of values of each factor. The row of any other value is NaN.

    Raises ValueError for shapes that do not match, or another dtype.
    """
    check_labels(2, factors=factors)
    check_mask(factors.shape[1], where=where)
    if len(sizes) != factors.shape[1]:
        raise ValueError(
            f"number of sizes is {len(sizes)}: allowed is {factors.shape[1]}, "
            "the number of columns of factors"
        )
    columns = [
        jnp.where(where[index], _one_hot(factors[:, index], size), 0.0)
        for index, size in enumerate(sizes)
    ]
    return jnp.concatenate(columns, axis=1)


def _one_hot(values, size):
    known = (values >= 0) & (values < size)
    return jnp.where(known[:, None], jax.nn.one_hot(values, size), jnp.nan)
