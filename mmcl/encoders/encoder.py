"""Networks: encoders whose inputs are prepared, and whose layers may be normalised."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
from jaxtyping import Array, Float, Key

Params = Any  # a pytree of arrays
Stats = Any  # a pytree of arrays that no gradient moves

NORMALIZATIONS = ("batch", "group")
MOMENTUM = 0.9  # what a step keeps of the running statistics
EPSILON = 1e-5  # added to variances


class Encoder(NamedTuple):
    """Three pure functions.

    init:  (key, observations [n, ...]) -> (params, stats).
    apply: (params, stats, observations [n, ...]) -> representation [n, d], for evaluation.
    train: (params, stats, observations [n, ...]) -> (representation [n, d], stats), in training:
           stats that follow the batches come back moved, all others as they were.
    """

    init: Callable[[Key[Array, ""], Array], tuple[Params, Stats]]
    apply: Callable[[Params, Stats, Array], Float[Array, "n d"]]
    train: Callable[[Params, Stats, Array], tuple[Float[Array, "n d"], Stats]]


class NetworkStats(NamedTuple):
    """What no gradient moves.

    inputs:  what was fitted to the inputs on the first batch.
    running: means and variances of batch normalisation, moved in training; empty without it.
    """

    inputs: Any
    running: Any


def network_encoder(
    network: nn.Module, fit: Callable[[Array], Any], prepare: Callable[[Any, Array], Array]
) -> Encoder:
    """An encoder that applies a network to prepare(fit(first observations), observations).

    network: called with inputs [n, ...] and `train`, whether batches are normalised by their own
    statistics; a row's representation in evaluation is its own affair.
    """

    def init(key, observations):
        inputs = fit(observations)
        # one row: shapes are all that parameters depend on
        variables = network.init(key, prepare(inputs, observations[:1]), train=False)
        return variables["params"], NetworkStats(inputs, variables.get("batch_stats", {}))

    def apply(params, stats, observations):
        variables = {"params": params, "batch_stats": stats.running}
        return network.apply(variables, prepare(stats.inputs, observations), train=False)

    def train(params, stats, observations):
        variables = {"params": params, "batch_stats": stats.running}
        inputs = prepare(stats.inputs, observations)
        z, moved = network.apply(variables, inputs, train=True, mutable=["batch_stats"])
        return z, stats._replace(running=moved.get("batch_stats", {}))

    return Encoder(init, apply, train)


def normalization_layer(name: str, groups: int, train: bool) -> nn.Module:
    """Normalises channels over the batch, or groups of channels within a row.

    `groups` divides the channels; `train` says whether batch normalisation takes, and records, the
    statistics of the batch.
    """
    # variances in a second pass: with few values E[x²] - E[x]² is rounding
    shared = {"epsilon": EPSILON, "use_fast_variance": False}
    if name == "group":
        return nn.GroupNorm(num_groups=groups, **shared)
    return nn.BatchNorm(use_running_average=not train, momentum=MOMENTUM, **shared)
