"""Classification probes: fitted on some rows, applied to others.

All have the signature of `Classifier`. Features are standardised on the fitted rows; a constant
column (a masked dimension) becomes 0. Scale and offset of features do not matter. The label -1
stands for no prediction: of a query with NaN, and of all queries if the features to fit contain NaN
or one of the labels is not a class. Its Matthews correlation is NaN.
"""

from functools import partial
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from probes.arguments import (
    check_at_least,
    check_columns,
    check_floats,
    check_labels,
    check_rows,
)
from probes.metrics import are_classes
from probes.predictors.networks import STEPS, NetworkKeys, fit_network
from probes.predictors.regression import standardize


@runtime_checkable
class Classifier(Protocol):
    """A function (key, features, labels, queries, classes=k) -> predicted labels of the queries."""

    def __call__(
        self,
        key: Key[Array, ""],
        features: Float[Array, "n d"],
        labels: Int[Array, " n"],
        queries: Float[Array, "m d"],
        *,
        classes: int,
    ) -> Int[Array, " m"]:
        """Returns the predicted labels of the queries: int [m], -1 for no prediction.

        features: float32 [n, d], of the rows to fit.
        labels:   int [n], from 0 to classes - 1; some of them may not occur.
        queries:  float32 [m, d].
        """
        ...


@partial(jax.jit, static_argnames=("classes", "steps"))
@jax.default_matmul_precision("float32")
def mlp_classifier(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    labels: Int[Array, " n"],
    queries: Float[Array, "m d"],
    *,
    classes: int,
    steps: int = STEPS,
) -> Int[Array, " m"]:
    """Returns the labels predicted by a small MLP, trained with Adam on softmax cross-entropy."""
    check_classification(features, labels, queries, classes)
    features, queries = standardize(features, queries)
    loss = optax.softmax_cross_entropy_with_integer_labels
    keys = NetworkKeys(*jax.random.split(key))
    logits = fit_network(
        keys, loss, features, labels, queries=queries, steps=steps, outputs=(classes,)
    )
    return decide(logits, labels)


@partial(jax.jit, static_argnames="steps")
@jax.default_matmul_precision("float32")
def mlp_binary(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    labels: Bool[Array, " n"] | Int[Array, " n"],
    queries: Float[Array, "m d"],
    *,
    steps: int = STEPS,
) -> Int[Array, " m"]:
    """Returns the labels predicted by a small MLP, trained with Adam on binary cross-entropy.

    labels: bool [n] or int [n], 0 or 1.
    """
    check_classification(features, labels, queries, 2)
    features, queries = standardize(features, queries)
    loss = optax.sigmoid_binary_cross_entropy
    targets = labels.astype(jnp.float32)
    keys = NetworkKeys(*jax.random.split(key))
    logits = fit_network(keys, loss, features, targets, queries=queries, steps=steps)
    return decide(jnp.stack([jnp.zeros_like(logits), logits], axis=1), labels)


def check_classification(
    features: Float[Array, "n d"],
    labels: Bool[Array, " n"] | Int[Array, " n"],
    queries: Float[Array, "m d"],
    classes: int,
) -> None:
    """Raises ValueError unless the arguments of a classifier have matching shapes and dtypes."""
    check_floats(features=features, queries=queries)
    check_labels(labels=labels)
    check_rows(features=features, labels=labels)
    check_columns(features=features, queries=queries)
    check_at_least(2, classes=classes)


def decide(
    logits: Float[Array, "m classes"], labels: Bool[Array, " n"] | Int[Array, " n"]
) -> Int[Array, " m"]:
    """Returns the class with the largest logit: int [m], -1 for no prediction.

    labels: the fitted ones; there is no prediction if one of them is not a class.
    """
    predicted = jnp.argmax(logits, axis=1)
    defined = are_classes(labels, logits.shape[1]) & ~jnp.isnan(logits).any(1)
    return jnp.where(defined, predicted, -1)
