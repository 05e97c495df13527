"""Classification probes: fit on some rows, label others."""

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Key

from probes.networks import STEPS, fit_network
from probes.regression import standardize


@jax.default_matmul_precision("float32")
def mlp_classifier(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    labels: Bool[Array, " n"],
    queries: Float[Array, "m d"],
    steps: int = STEPS,
) -> Bool[Array, " m"]:
    """A small MLP trained with Adam on the binary cross-entropy; its labels of the queries."""
    features, queries = standardize(features, queries)
    loss = optax.sigmoid_binary_cross_entropy
    targets = labels.astype(jnp.float32)
    return fit_network(key, loss, features, targets, queries, steps) > 0
