"""Compiled sweep: initialises, trains and scores all lanes of a plan in compiled programs."""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array

import mmcl
from experiments.domains.domain import LaneData, Scores, Shared
from experiments.runtime.devices import (
    LANES,
    bytes_needed,
    is_cpu,
    map_devices,
    map_lanes,
    replicate,
)
from experiments.sweep.lane import (
    LaneState,
    init_lane,
    monitor_lane,
    restart_lane,
    score_lane,
    train_lane,
)
from experiments.sweep.plan import Plan

SCORED_TOGETHER = 16  # lanes that a device scores at once, unless it is a CPU


class Advance(NamedTuple):
    """The mean metrics of some steps of every lane, and the monitor scores after them."""

    metrics: mmcl.Metrics
    monitor: Scores


class CompiledSweep(NamedTuple):
    """The functions of the lanes of a plan; lanes lie on the devices as `shard_lanes` puts them.

    init:   (data) -> states, on the host.
    train:  (data, states, steps done, steps to do) -> (states, Advance with leaves [lanes, ...]).
    restart: (data, states) -> states with the estimated encoding sizes and new encoders.
    score:  (data, states, rows int32 [k]) -> scores of those rows of every device, stacked device
            by device.
    memory: (steps to do) -> bytes that training needs on each device; compiles it.
    compile_scores: () -> the program of `score`, compiled for as many rows as `scored_together`.
    shapes: of the states, without padding.
    """

    init: Callable[[LaneData], LaneState]
    train: Callable[[LaneData, LaneState, int, int], tuple[LaneState, Advance]]
    restart: Callable[[LaneData, LaneState], LaneState]
    score: Callable[[LaneData, LaneState, Array], Scores]
    memory: Callable[[int], int]
    compile_scores: Callable[[], jax.stages.Compiled]
    shapes: LaneState


def scored_together(mesh: Mesh, count: int) -> int:
    """Returns the number of lanes that each device scores at once, of `count` in all."""
    return 1 if is_cpu(mesh) else min(-(-count // mesh.shape[LANES]), SCORED_TOGETHER)


def compile_sweep(
    plan: Plan,
    mesh: Mesh,
    shared: Shared = (),
    monitor: Callable[[Plan, Shared, LaneData, LaneState], Scores] = monitor_lane,
) -> CompiledSweep:
    """Returns the compiled functions of a plan; settings, seeds and rates are data.

    shared:  arrays that the plan's domain loads.
    monitor: computes the scores that follow training; the benchmark leaves them out.
    """
    placed = replicate(mesh, shared)
    # on one device: batched matrix decompositions deadlock where CPU devices share their threads
    init = jax.jit(lambda shared, data: jax.lax.map(partial(init_lane, plan, shared), data))
    shapes = jax.eval_shape(init, shared, plan.data)
    lanes = NamedSharding(mesh, PartitionSpec(LANES))

    def train_all(shared, data, state, done, steps):
        def advance(shared, lane, state):
            state, metrics = train_lane(
                plan, shared, lane, state, mesh=mesh, done=done, steps=steps
            )
            return state, Advance(metrics, monitor(plan, shared, lane, state))

        return map_lanes(mesh, advance, shared, data, state)

    train = jax.jit(
        train_all,
        static_argnums=4,
        donate_argnums=2,
        in_shardings=(None, lanes, lanes, None),
        out_shardings=lanes,
    )

    def shapes_of(count):
        resized = lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape[1:]), leaf.dtype)
        return jax.tree.map(resized, (plan.data, shapes))

    @cache
    def compiled(steps):
        count = len(plan.lanes) + -len(plan.lanes) % mesh.shape[LANES]
        return train.lower(placed, *shapes_of(count), jnp.int32(0), steps).compile()

    def restart(shared, data, state):
        one_lane = partial(restart_lane, plan)
        return map_lanes(mesh, one_lane, shared, data, state, together=SCORED_TOGETHER)

    # a program of its own, so that blocks of any number of lanes have the same program of scores
    @jax.jit
    def select(data, state, rows):
        of_device = lambda _, *stacked: jax.tree.map(lambda leaf: leaf[rows], stacked)
        return map_devices(mesh, of_device, (), data, state)

    @partial(jax.jit, in_shardings=(None, lanes, lanes))
    def score(shared, data, state):
        return map_lanes(mesh, partial(score_lane, plan), shared, data, state)

    @cache
    def compiled_scores(rows):
        return score.lower(placed, *shapes_of(mesh.shape[LANES] * rows)).compile()

    return CompiledSweep(
        init=lambda data: jax.device_get(init(shared, data)),
        train=lambda data, state, done, steps: compiled(steps)(placed, data, state, np.int32(done)),
        restart=partial(jax.jit(restart, donate_argnums=2, out_shardings=lanes), placed),
        score=lambda data, state, rows: compiled_scores(len(rows))(
            placed, *select(data, state, rows)
        ),
        memory=lambda steps: bytes_needed(compiled(steps)),
        compile_scores=lambda: compiled_scores(scored_together(mesh, len(plan.lanes))),
        shapes=shapes,
    )
