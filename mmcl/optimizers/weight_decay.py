"""Decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101)."""

from typing import Any

import jax
import optax
from jaxtyping import Array, Float


def apply_updates(params: Any, updates: Any, decay: Float[Array, ""]) -> Any:
    """Returns parameters after an update and the decay of weights, of the same structure.

    Weights are leaves with two or more axes. Biases, scales and parameters of objectives do not
    decay.

    decay: float32 [], the fraction of weights that is subtracted: the learning rate of the step
           times `weight_decay`. With 0 the result equals `optax.apply_updates` bit for bit.
    """
    # after the update, so that the compiler fuses the update as it does without decay
    subtract = lambda new, old: new - decay * old if old.ndim > 1 else new
    return jax.tree.map(subtract, optax.apply_updates(params, updates), params)
