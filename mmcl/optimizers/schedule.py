"""Schedule of the learning rate, by traced numbers."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


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
