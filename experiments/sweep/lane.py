"""Lane functions: the world, training and scores of one lane, as pure functions of its data.

The keys of a lane come from its two seeds alone, never from its position, so a lane is the same in
every sweep. The key of its world comes from its world seed, all others from its seed.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Int, Key, UInt32

import mmcl
import probes
from experiments.domains.domain import LaneData, Scores, Shared, TrainedLane, World
from experiments.runtime.devices import PAIRS
from experiments.sweep.plan import Plan

WHITENING_PAIRS = 4096
SELECTION_PAIRS = 16384  # to fit the selection of columns on, and as many to test it on


class LaneKeys(NamedTuple):
    """The keys that follow from a seed, one for each purpose."""

    world: Key[Array, ""]
    init: Key[Array, ""]
    data: Key[Array, ""]
    scores: Key[Array, ""]
    monitor: Key[Array, ""]
    metrics: Key[Array, ""]
    selection: Key[Array, ""]


class LaneState(NamedTuple):
    """The state of a lane: its world and its training."""

    world: World
    train: mmcl.TrainState


def lane_keys(seed: UInt32[Array, ""]) -> LaneKeys:
    """Returns the keys of a seed."""
    return LaneKeys(*jax.random.split(jax.random.key(seed), len(LaneKeys._fields)))


def init_lane(plan: Plan, shared: Shared, lane: LaneData) -> LaneState:
    """Draws the world of a lane and returns its state before the first step."""
    keys = lane_keys(lane.seed)
    world = plan.domain.init_world(lane_keys(lane.world_seed).world, lane, shared)
    key_params, key_batch = jax.random.split(keys.init)
    batch = plan.domain.sample(key_batch, WHITENING_PAIRS, shared=shared, world=world, lane=lane)
    return LaneState(world, mmcl.init(key_params, batch, recipe=plan.recipe, hyper=lane.hyper))


def train_lane(
    plan: Plan,
    shared: Shared,
    lane: LaneData,
    state: LaneState,
    *,
    mesh: Mesh,
    done: Int[Array, ""],
    steps: int,
) -> tuple[LaneState, mmcl.Metrics]:
    """Returns the state after `steps` more steps, and the mean of their metrics.

    `done` is the number of steps before these. If several devices share a lane, each takes a part
    of every batch.
    """

    def sample(key, count):
        pairs = plan.domain.sample(key, count, shared=shared, world=state.world, lane=lane)
        split = mesh.shape[PAIRS] > 1
        return jax.lax.with_sharding_constraint(pairs, PartitionSpec(PAIRS)) if split else pairs

    train, metrics = mmcl.train(
        lane_keys(lane.seed).data,
        state.train,
        sample,
        recipe=plan.recipe,
        hyper=lane.hyper,
        steps=steps,
        done=done,
    )
    return state._replace(train=train), jax.tree.map(jnp.mean, metrics)


def select_lane(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> LaneState:
    """Returns the state after the selection of columns, on new pairs of training data."""
    key_fit, key_test, key_regression = jax.random.split(lane_keys(lane.seed).selection, 3)
    draw = partial(plan.domain.sample, shared=shared, world=state.world, lane=lane)
    train = mmcl.select_columns(
        key_regression,
        state.train,
        draw(key_fit, SELECTION_PAIRS),
        draw(key_test, SELECTION_PAIRS),
        recipe=plan.recipe,
        hyper=lane.hyper,
        regression=probes.mlp,
    )
    return state._replace(train=train)


def score_lane(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> Scores:
    """Returns every score of a lane, by its domain (domains/latents.py or captioned.py)."""
    return plan.domain.score(lane_keys(lane.seed).scores, _trained(plan, shared, lane, state))


def monitor_lane(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> Scores:
    """Returns the scores of a lane that follow its training."""
    return plan.domain.monitor(lane_keys(lane.seed).monitor, _trained(plan, shared, lane, state))


def _trained(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> TrainedLane:
    params, stats = state.train.params, state.train.stats
    encode = partial(mmcl.encode, params, stats, recipe=plan.recipe, hyper=lane.hyper)
    columns = mmcl.selected_columns(stats, recipe=plan.recipe, hyper=lane.hyper)
    return TrainedLane(shared, state.world, lane, encode, columns)
