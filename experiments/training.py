"""Training: one lane's keys, its world and its training, as pure functions of the lane.

A lane's keys come from its seed alone, never from its place, so a lane is the same in any sweep.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, PartitionSpec
from jaxtyping import Array, Int, Key, UInt32

import lvm
import mmcl
from experiments.devices import PAIRS
from experiments.plan import LaneData, Plan

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

    world: lvm.World
    train: mmcl.TrainState


def lane_keys(seed: UInt32[Array, ""]) -> Keys:
    """The keys of the lane with this seed."""
    return Keys(*jax.random.split(jax.random.key(seed), len(Keys._fields)))


def init_lane(plan: Plan, lane: LaneData) -> LaneState:
    """Draws the lane's world and its first training state."""
    keys = lane_keys(lane.seed)
    world = lvm.init_world(keys.world, plan.spec, lane.dependence)
    key_params, key_first = jax.random.split(keys.init)
    first = sampler(world, lane)(key_first, WHITENING_PAIRS)
    return LaneState(world, mmcl.init(key_params, plan.recipe, lane.hyper, first))


def train_lane(
    plan: Plan, mesh: Mesh, done: Int[Array, ""], steps: int, lane: LaneData, state: LaneState
) -> tuple[LaneState, mmcl.Metrics]:
    """`steps` more steps of one lane after `done`, with the mean of their metrics.

    Where several devices share a lane, each takes its part of every batch.
    """

    def sample(key, count):
        pairs = sampler(state.world, lane)(key, count)
        shared = mesh.shape[PAIRS] > 1
        return jax.lax.with_sharding_constraint(pairs, PartitionSpec(PAIRS)) if shared else pairs

    key = lane_keys(lane.seed).data
    train, metrics = mmcl.train(key, plan.recipe, lane.hyper, sample, state.train, done, steps)
    return state._replace(train=train), jax.tree.map(jnp.mean, metrics)


def sampler(
    world: lvm.World, lane: LaneData, shift: lvm.Shift | None = None
) -> mmcl.training.Sampler:
    """What draws a lane's pairs: (key, count) -> pairs."""

    def sample(key, count):
        return lvm.sample_pairs(key, world, lane.bias, lane.noise_probability, count, shift)

    return sample
