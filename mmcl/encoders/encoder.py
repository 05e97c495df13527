"""Encoders as pure functions, built from networks with prepared inputs and normalised layers."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import flax.linen as nn
from jaxtyping import Array, Float, Key

Params = Any  # a pytree of arrays
Stats = Any  # a pytree of arrays that gradients do not train

NORMALIZATIONS = ("batch", "group")
MOMENTUM = 0.9  # weight of the old value when running statistics are updated
EPSILON = 1e-5  # added to variances


class Encoder(NamedTuple):
    """The pure functions of one encoder.

    init:  (key, observations [n, ...]) -> (params, stats).
    apply: (params, stats, observations [n, ...]) -> representation [n, d], for evaluation.
    train: (params, stats, observations [n, ...]) -> (representation [n, d], stats), for training;
           running statistics are returned updated, all other stats unchanged.
    """

    init: Callable[[Key[Array, ""], Array], tuple[Params, Stats]]
    apply: Callable[[Params, Stats, Array], Float[Array, "n d"]]
    train: Callable[[Params, Stats, Array], tuple[Float[Array, "n d"], Stats]]


class NetworkStats(NamedTuple):
    """The arrays of an encoder that gradients do not train.

    inputs:  statistics of the inputs, fitted on the first batch; () if the encoder needs none.
    running: means and variances of batch normalisation, updated in training; empty without it.
    """

    inputs: Any
    running: Any


def network_encoder(
    network: nn.Module, fit: Callable[[Array], Any], prepare: Callable[[Any, Array], Array]
) -> Encoder:
    """Returns an encoder that applies `network` to prepare(fit(first batch), observations).

    network: called with inputs [n, ...] and `train`. With train=True batch normalisation uses the
             statistics of the batch; with train=False rows must not depend on one another.
    fit:     observations [n, ...] of the first batch -> statistics of the inputs.
    prepare: (statistics of the inputs, observations [n, ...]) -> inputs [n, ...].
    """

    def init(key, observations):
        inputs = fit(observations)
        # one row is enough, parameters depend on shapes alone
        variables = network.init(key, prepare(inputs, observations[:1]), train=False)
        return variables["params"], NetworkStats(inputs, variables.get("batch_stats", {}))

    def apply(params, stats, observations):
        variables = {"params": params, "batch_stats": stats.running}
        inputs = prepare(stats.inputs, observations)
        return cast(Array, network.apply(variables, inputs, train=False))

    def train(params, stats, observations):
        variables = {"params": params, "batch_stats": stats.running}
        inputs = prepare(stats.inputs, observations)
        z, updated = network.apply(variables, inputs, train=True, mutable=["batch_stats"])
        return z, stats._replace(running=updated.get("batch_stats", {}))

    return Encoder(init, apply, train)


def normalization_layer(name: str, groups: int, train: bool) -> nn.Module:
    """Returns a layer that normalises channels over the batch, or groups of channels within a row.

    name:   "batch" or "group".
    groups: number of groups, for "group"; divides the number of channels.
    train:  for "batch", whether to use and record the statistics of the batch.

    Raises ValueError for another name.
    """
    if name not in NORMALIZATIONS:
        allowed = ", ".join(NORMALIZATIONS)
        raise ValueError(f"normalization is {name!r}: allowed is one of {allowed}")
    # variances in a second pass: with few values E[x²] - E[x]² is dominated by rounding
    options = {"epsilon": EPSILON, "use_fast_variance": False}
    if name == "group":
        return nn.GroupNorm(num_groups=groups, **options)
    return nn.BatchNorm(use_running_average=not train, momentum=MOMENTUM, **options)
