"""Schedule of the learning rate; its numbers are traced, so a new one never compiles again."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

Number = Float[Array, ""] | float


class Schedule(NamedTuple):
    """Linear warm-up, cosine decay to a floor, then a linear decay to 0.

    All are float32 [] or Python numbers.

    peak:      highest learning rate.
    warmup:    steps of linear increase from 0.
    decay_end: step at which the cosine has reached floor · peak; infinite for no decay.
    floor:     fraction of the peak at `decay_end`.
    end_steps: steps from there to 0, in a straight line.
    """

    peak: Number = 1e-2
    warmup: Number = 100.0
    decay_end: Number = float("inf")
    floor: Number = 0.0
    end_steps: Number = 0.0


def learning_rate(schedule: Schedule, step: Int[Array, ""] | int) -> Float[Array, ""]:
    """Returns the learning rate at a step, counted from 0: float32 []."""
    # also where JAX_ENABLE_X64 is set
    schedule = Schedule(*(jnp.asarray(number, jnp.float32) for number in schedule))
    rise = jnp.minimum((step + 1) / jnp.maximum(schedule.warmup, 1), 1)
    decay_steps = jnp.maximum(schedule.decay_end - schedule.warmup, 1)
    progress = jnp.clip((step - schedule.warmup) / decay_steps, 0, 1)
    cosine = (1 + jnp.cos(jnp.pi * progress)) / 2
    end = 1 - jnp.clip((step - schedule.decay_end) / jnp.maximum(schedule.end_steps, 1), 0, 1)
    return schedule.peak * rise * (schedule.floor + (1 - schedule.floor) * cosine) * end
