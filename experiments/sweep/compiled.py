"""Sweep: the only place where vmap and jit meet the lanes.

`Sweep` holds the pure functions of one lane (training.py), mapped and compiled.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Int

import mmcl
from experiments.domains.domain import LaneData, Shared
from experiments.runtime.devices import (
    LANES,
    bytes_needed,
    on_each_device,
    on_every_device,
    over_lanes,
)
from experiments.sweep.lane import LaneState, glance_at, init_lane, score_lane, train_lane
from experiments.sweep.plan import Plan


class Advance(NamedTuple):
    """How some steps of every lane went: the mean of their metrics, and a glance after them."""

    metrics: mmcl.Metrics
    glance: Any


class Sweep(NamedTuple):
    """The lanes of a plan, compiled; they lie on the devices as `on_devices` puts them.

    init:   (data) -> states, on the host: nothing is placed yet.
    train:  (data, states, steps done, steps to do) -> (states, how they went, leaves [lanes, ...]).
    score:  (data, states, rows int32 [k]) -> scores of those rows on every device, stacked device
            by device.
    memory: (steps to do) -> bytes that training needs on each device, as compiled.
    shapes: of the states, without padding.
    """

    init: Callable[[LaneData], LaneState]
    train: Callable[[LaneData, LaneState, int, int], tuple[LaneState, Advance]]
    score: Callable[[LaneData, LaneState, Array], Any]
    memory: Callable[[int], int]
    shapes: LaneState


def make_sweep(plan: Plan, mesh: Mesh, shared: Shared = ()) -> Sweep:
    """The compiled functions of a plan; settings, seeds and rates are data, never recompiled.

    `shared` is what the plan's domain loads.
    """
    placed = on_every_device(mesh, shared)
    # on one device: batched matrix decompositions deadlock where CPU devices share their threads
    init = jax.jit(lambda shared, data: jax.lax.map(partial(init_lane, plan, shared), data))
    shapes = jax.eval_shape(init, shared, plan.data)
    lanes = NamedSharding(mesh, PartitionSpec(LANES))

    def train_all(shared, data, state, done, steps):
        return over_lanes(mesh, partial(_advance, plan, mesh, done, steps), shared, data, state)

    train = jax.jit(
        train_all,
        static_argnums=4,
        donate_argnums=2,
        in_shardings=(None, lanes, lanes, None),
        out_shardings=lanes,
    )

    @cache
    def compiled(steps):
        count = len(plan.lanes) + -len(plan.lanes) % mesh.shape[LANES]
        padded = lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape[1:]), leaf.dtype)
        data, state = jax.tree.map(padded, (plan.data, shapes))
        return train.lower(placed, data, state, jnp.int32(0), steps).compile()

    def score(shared, data, state, rows):
        own = lambda _, *lanes: jax.tree.map(lambda leaf: leaf[rows], lanes)
        mine = on_each_device(mesh, own, (), data, state)
        return over_lanes(mesh, partial(score_lane, plan), shared, *mine)

    return Sweep(
        init=lambda data: jax.device_get(init(shared, data)),
        train=lambda data, state, done, steps: compiled(steps)(placed, data, state, np.int32(done)),
        score=partial(jax.jit(score), placed),
        memory=lambda steps: bytes_needed(compiled(steps)),
        shapes=shapes,
    )


def _advance(
    plan: Plan,
    mesh: Mesh,
    done: Int[Array, ""],
    steps: int,
    shared: Shared,
    lane: LaneData,
    state: LaneState,
) -> tuple[LaneState, Advance]:
    state, metrics = train_lane(plan, mesh, done, steps, shared, lane, state)
    return state, Advance(metrics, glance_at(plan, shared, lane, state))
