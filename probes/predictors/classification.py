"""Classification probes: fitted on some rows, applied to others.

All have the signature of `Classifier`. Features are standardised on the fitted rows; a constant
column (a masked dimension) becomes 0.
"""

from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from probes.predictors.networks import STEPS, fit_network
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
        """Returns the predicted labels of the queries: int [m].

        features: float32 [n, d], of the rows to fit.
        labels:   int [n], from 0 to classes - 1; some of them may not occur.
        queries:  float32 [m, d].
        """
        ...


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
    features, queries = standardize(features, queries)
    loss = optax.softmax_cross_entropy_with_integer_labels
    logits = fit_network(
        key, loss, features, labels, queries=queries, steps=steps, outputs=(classes,)
    )
    return jnp.argmax(logits, axis=1)


@jax.default_matmul_precision("float32")
def mlp_binary(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    labels: Bool[Array, " n"],
    queries: Float[Array, "m d"],
    *,
    steps: int = STEPS,
) -> Bool[Array, " m"]:
    """Returns the labels predicted by a small MLP, trained with Adam on binary cross-entropy."""
    features, queries = standardize(features, queries)
    loss = optax.sigmoid_binary_cross_entropy
    targets = labels.astype(jnp.float32)
    return fit_network(key, loss, features, targets, queries=queries, steps=steps) > 0
