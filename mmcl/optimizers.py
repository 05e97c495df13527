"""Optimisers: gradient clipping, then SOAP, Muon or Adam, under a schedule of traced numbers."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int

from mmcl.muon import scale_by_muon
from mmcl.soap import scale_by_soap


class Schedule(NamedTuple):
    """Linear warm-up, cosine decay, then a straight end; all float32 [], traced: none recompiles.

    peak:   the highest learning rate.
    warmup: steps of rise from 0.
    turn:   step at which the cosine has fallen to floor · peak (infinite: it stays at its peak).
    floor:  share of the peak that is left there.
    tail:   steps from there to 0, in a straight line.
    """

    peak: Float[Array, ""]
    warmup: Float[Array, ""]
    turn: Float[Array, ""]
    floor: Float[Array, ""] | float = 0.0
    tail: Float[Array, ""] | float = 0.0


def learning_rate(schedule: Schedule, step: Int[Array, ""]) -> Float[Array, ""]:
    """The learning rate at a step, counted from 0: float32 []."""
    rise = jnp.minimum((step + 1) / jnp.maximum(schedule.warmup, 1), 1)
    gone = (step - schedule.warmup) / jnp.maximum(schedule.turn - schedule.warmup, 1)
    cosine = (1 + jnp.cos(jnp.pi * jnp.clip(gone, 0, 1))) / 2
    end = 1 - jnp.clip((step - schedule.turn) / jnp.maximum(schedule.tail, 1), 0, 1)
    return schedule.peak * rise * (schedule.floor + (1 - schedule.floor) * cosine) * end


def make_optimizer(
    name: str, schedule: Schedule, clip_norm: Float[Array, ""]
) -> optax.GradientTransformationExtraArgs:
    """The optimiser called `name` in OPTIMIZERS, behind clipping by the global gradient norm.

    Its `update` takes the keyword `step`, int32 [], the steps done so far.
    """
    rate = lambda step: learning_rate(schedule, step)
    return optax.chain(optax.clip_by_global_norm(clip_norm), OPTIMIZERS[name](rate))


def _soap(rate):
    return optax.chain(scale_by_soap(), optax.scale_by_learning_rate(rate))


def _muon(rate):
    matrices = optax.chain(scale_by_muon(), optax.scale_by_learning_rate(rate))
    kinds = lambda params: jax.tree.map(lambda p: "matrix" if p.ndim == 2 else "other", params)
    return optax.partition({"matrix": matrices, "other": optax.nadam(rate)}, kinds)


OPTIMIZERS: dict[str, Callable[[optax.Schedule], optax.GradientTransformation]] = {
    "soap": _soap,
    "muon": _muon,
    "adam": optax.adam,
}
