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
from mmcl.recipe import similarity_of

WHITENING_PAIRS = 4096
SIZE_PAIRS = 16384  # to fit the estimate of the encoding size on, and as many to judge it by


class LaneKeys(NamedTuple):
    """The keys that follow from a seed, one for each purpose."""

    world: Key[Array, ""]
    init: Key[Array, ""]
    data: Key[Array, ""]
    scores: Key[Array, ""]
    monitor: Key[Array, ""]
    metrics: Key[Array, ""]
    size: Key[Array, ""]


class LaneState(NamedTuple):
    """The state of a lane.

    world: of its data.
    train: of its training.
    size:  the estimated encoding size, all columns before the estimate; () if the recipe does not
           estimate it.
    """

    world: World
    train: mmcl.TrainState
    size: mmcl.EncodingSize | tuple[()] = ()


def lane_keys(seed: UInt32[Array, ""]) -> LaneKeys:
    """Returns the keys of a seed."""
    return LaneKeys(*jax.random.split(jax.random.key(seed), len(LaneKeys._fields)))


def init_lane(plan: Plan, shared: Shared, lane: LaneData) -> LaneState:
    """Draws the world of a lane and returns its state before the first step."""
    keys = lane_keys(lane.seed)
    world = plan.domain.init_world(lane_keys(lane.world_seed).world, lane, shared)
    key_params, key_batch = jax.random.split(keys.init)
    batch = plan.domain.sample(key_batch, WHITENING_PAIRS, shared=shared, world=world, lane=lane)
    train = mmcl.init(key_params, batch, recipe=plan.recipe, hyper=lane.hyper)
    if not plan.estimate_size:
        return LaneState(world, train)
    columns = jnp.asarray(lane.hyper.dimensions)
    unknown = jnp.full(columns.shape, jnp.nan, jnp.float32)
    size = mmcl.EncodingSize(columns.sum(dtype=jnp.int32), unknown, columns)
    return LaneState(world, train, size)


def hyper_of(lane: LaneData, state: LaneState) -> mmcl.Hyperparameters:
    """Returns the hyperparameters of a lane, with as many dimensions as its encoding size."""
    if not isinstance(state.size, mmcl.EncodingSize):
        return lane.hyper
    columns = jnp.asarray(lane.hyper.dimensions)
    first = jnp.cumsum(columns) <= state.size.size
    return lane.hyper._replace(dimensions=columns & first)


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

    `done` is the number of steps before these, which are all in one cycle. If several devices share
    a lane, each takes a part of every batch.
    """
    key, before = lane_keys(lane.seed).data, jnp.int32(0)
    if plan.estimate_size:
        cycle = done // plan.cycle_steps
        key, before = jax.random.fold_in(key, cycle), cycle * plan.cycle_steps

    def sample(key, count):
        pairs = plan.domain.sample(key, count, shared=shared, world=state.world, lane=lane)
        split = mesh.shape[PAIRS] > 1
        return jax.lax.with_sharding_constraint(pairs, PartitionSpec(PAIRS)) if split else pairs

    train, metrics = mmcl.train(
        key,
        state.train,
        sample,
        recipe=plan.recipe,
        hyper=hyper_of(lane, state),
        steps=steps,
        done=done - before,
    )
    failed_now = train.failed_at != state.train.failed_at
    train = train._replace(failed_at=train.failed_at + jnp.where(failed_now, before, 0))
    return state._replace(train=train), jax.tree.map(jnp.mean, metrics)


def restart_lane(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> LaneState:
    """Returns the state with the estimated encoding size and newly initialised encoders.

    The size is estimated on new pairs of training data. The training of a lane that diverged does
    not change.
    """
    keys = jax.random.split(lane_keys(lane.seed).size, 5)
    key_fit, key_test, key_regression, key_batch, key_params = keys
    draw = partial(plan.domain.sample, shared=shared, world=state.world, lane=lane)
    encode = _trained(plan, shared, lane, state).encode
    size = mmcl.estimate_encoding_size(
        key_regression,
        encode(draw(key_fit, SIZE_PAIRS)),
        encode(draw(key_test, SIZE_PAIRS)),
        regression=probes.mlp,
        shared_correlation=plan.shared_correlation,
    )
    state, batch = state._replace(size=size), draw(key_batch, WHITENING_PAIRS)
    new = mmcl.init(key_params, batch, recipe=plan.recipe, hyper=hyper_of(lane, state))
    healthy = state.train.failed_at < 0
    return state._replace(train=jax.tree.map(partial(jnp.where, healthy), new, state.train))


def score_lane(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> Scores:
    """Returns every score of a lane, by its domain (domains/latents.py or captioned.py)."""
    return plan.domain.score(lane_keys(lane.seed).scores, _trained(plan, shared, lane, state))


def monitor_lane(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> Scores:
    """Returns the scores of a lane that follow its training."""
    return plan.domain.monitor(lane_keys(lane.seed).monitor, _trained(plan, shared, lane, state))


def _trained(plan: Plan, shared: Shared, lane: LaneData, state: LaneState) -> TrainedLane:
    hyper = hyper_of(lane, state)
    params, stats = state.train.params, state.train.stats
    encode = partial(mmcl.encode, params, stats, recipe=plan.recipe, hyper=hyper)
    columns, similarity = jnp.asarray(hyper.dimensions), similarity_of(plan.recipe)
    return TrainedLane(shared, state.world, lane, encode, columns, similarity)
