"""Training: one lane's keys, its world, its training and scores, as pure functions of the lane.

A lane's keys come from its seed alone, never from its place, so a lane is the same in any sweep.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Int, Key, UInt32

import mmcl
from experiments.domains.domain import LaneData, Shared, Trained, World
from experiments.runtime.devices import PAIRS
from experiments.sweep.plan import Plan

WHITENING_PAIRS = 4096


class Keys(NamedTuple):
    """A lane's keys, one a purpose."""

    world: Key[Array, ""]
    init: Key[Array, ""]
    data: Key[Array, ""]
    probe: Key[Array, ""]
    glance: Key[Array, ""]


class LaneState(NamedTuple):
    """Everything a lane needs to go on: its world and its training."""

    world: World
    train: mmcl.TrainState


def lane_keys(seed: UInt32[Array, ""]) -> Keys:
    """The keys of the lane with this seed."""
    return Keys(*jax.random.split(jax.random.key(seed), len(Keys._fields)))


def init_lane(plan: Plan, shared: Shared, lane: LaneData) -> LaneState:
    """Draws the lane's world and its first training state."""
    keys = lane_keys(lane.seed)
    world = plan.domain.init_world(keys.world, lane)
    key_params, key_first = jax.random.split(keys.init)
    first = plan.domain.sample(shared, world, lane, key_first, WHITENING_PAIRS)
    return LaneState(world, mmcl.init(key_params, first, recipe=plan.recipe, hyper=lane.hyper))


def train_lane(
    plan: Plan,
    mesh: Mesh,
    done: Int[Array, ""],
    steps: int,
    shared: Shared,
    lane: LaneData,
    state: LaneState,
) -> tuple[LaneState, mmcl.Metrics]:
    """`steps` more steps of one lane after `done`, with the mean of their metrics.

    Where several devices share a lane, each takes its part of every batch.
    """

    def sample(key, count):
        pairs = plan.domain.sample(shared, state.world, lane, key, count)
        split = mesh.shape[PAIRS] > 1
        return jax.lax.with_sharding_constraint(pairs, PartitionSpec(PAIRS)) if split else pairs

    key = lane_keys(lane.seed).data
    train, metrics = mmcl.train(
        key, state.train, sample, recipe=plan.recipe, hyper=lane.hyper, done=done, steps=steps
    )
    return state._replace(train=train), jax.tree.map(jnp.mean, metrics)


def score_lane(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> Any:
    """Every score of one lane, as its domain makes them."""
    return plan.domain.score(_trained(plan, shared, lane, state), lane_keys(lane.seed).probe)


def glance_at(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> Any:
    """Few scores of one lane, to follow training."""
    return plan.domain.glance(_trained(plan, shared, lane, state), lane_keys(lane.seed).glance)


def _trained(plan, shared, lane, state) -> Trained:
    encode = partial(
        mmcl.encode,
        state.train.params,
        state.train.stats,
        recipe=plan.recipe,
        hyper=lane.hyper,
    )
    return Trained(shared, state.world, lane, encode)
