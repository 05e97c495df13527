"""Sweep: the only place where vmap and jit meet the lanes.

Pure functions of one lane come first; `Sweep` holds them mapped over lanes and compiled. A lane's
keys come from its seed alone, never from its place, so a lane is the same in any sweep.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Float, Int, Key, UInt32

import lvm
import mmcl
import probes
from experiments.devices import LANES, PAIRS, bytes_needed, on_each_device, over_lanes
from experiments.plan import LaneData, Plan

WHITENING_PAIRS = 4096


class Keys(NamedTuple):
    """A lane's keys, one a purpose."""

    world: Key[Array, ""]
    init: Key[Array, ""]
    data: Key[Array, ""]
    probe: Key[Array, ""]


class LaneState(NamedTuple):
    """Everything a lane needs to go on: its world and its training."""

    world: lvm.World
    train: mmcl.TrainState


class ProbeScores(NamedTuple):
    """Scores of one lane by one probe; x and t are modalities.

    x, t, attainable: scores of the latents; reverse_x, reverse_t: float32 [], of the
    representation from the unbiased latents.
    """

    x: probes.LatentScores
    t: probes.LatentScores
    attainable: probes.LatentScores
    reverse_x: Float[Array, ""]
    reverse_t: Float[Array, ""]


class Sweep(NamedTuple):
    """The lanes of a plan, compiled; they lie on the devices as `on_devices` puts them.

    init:   (data) -> states, on the host: nothing is placed yet.
    train:  (data, states, steps done, steps to do) -> (states, mean metrics [lanes]).
    score:  (data, states, rows int32 [k]) -> scores by probe of those rows on every device,
            stacked device by device.
    memory: (steps to do) -> bytes that training needs on each device, as compiled.
    shapes: of the states, without padding.
    """

    init: Callable[[LaneData], LaneState]
    train: Callable[[LaneData, LaneState, int, int], tuple[LaneState, mmcl.Metrics]]
    score: Callable[[LaneData, LaneState, Array], dict[str, ProbeScores]]
    memory: Callable[[int], int]
    shapes: LaneState


def make_sweep(plan: Plan, mesh: Mesh) -> Sweep:
    """The compiled functions of a plan; settings, seeds and rates are data, never recompiled."""
    # on one device: batched matrix decompositions deadlock where CPU devices share their threads
    init = jax.jit(partial(jax.lax.map, partial(init_lane, plan)))
    shapes = jax.eval_shape(init, plan.data)
    lanes = NamedSharding(mesh, PartitionSpec(LANES))

    def train(data, state, done, steps):
        return over_lanes(mesh, partial(train_lane, plan, mesh, done, steps), data, state)

    train = jax.jit(
        train,
        static_argnums=3,
        donate_argnums=1,
        in_shardings=(lanes, lanes, None),
        out_shardings=lanes,
    )

    @cache
    def compiled(steps):
        count = len(plan.lanes) + -len(plan.lanes) % mesh.shape[LANES]
        padded = lambda leaf: jax.ShapeDtypeStruct((count, *leaf.shape[1:]), leaf.dtype)
        data, state = jax.tree.map(padded, (plan.data, shapes))
        return train.lower(data, state, jnp.int32(0), steps).compile()

    def score(data, state, rows):
        own = lambda *lanes: jax.tree.map(lambda leaf: leaf[rows], lanes)
        one_lane = partial(score_lane, plan)
        return over_lanes(mesh, one_lane, *on_each_device(mesh, own, data, state))

    return Sweep(
        init=lambda data: jax.device_get(init(data)),
        train=lambda data, state, done, steps: compiled(steps)(data, state, np.int32(done)),
        score=jax.jit(score),
        memory=lambda steps: bytes_needed(compiled(steps)),
        shapes=shapes,
    )


def lane_keys(seed: UInt32[Array, ""]) -> Keys:
    """The keys of the lane with this seed."""
    return Keys(*jax.random.split(jax.random.key(seed), len(Keys._fields)))


def init_lane(plan: Plan, lane: LaneData) -> LaneState:
    """Draws the lane's world and its first training state."""
    keys = lane_keys(lane.seed)
    world = lvm.init_world(keys.world, plan.spec, lane.dependence)
    key_params, key_first = jax.random.split(keys.init)
    first = _sampler(world, lane)(key_first, WHITENING_PAIRS)
    return LaneState(world, mmcl.init(key_params, plan.recipe, lane.hyper, first))


def train_lane(
    plan: Plan, mesh: Mesh, done: Int[Array, ""], steps: int, lane: LaneData, state: LaneState
) -> tuple[LaneState, mmcl.Metrics]:
    """`steps` more steps of one lane after `done`, with the mean of their metrics.

    Where several devices share a lane, each takes its part of every batch.
    """

    def sample(key, count):
        pairs = _sampler(state.world, lane)(key, count)
        shared = mesh.shape[PAIRS] > 1
        return jax.lax.with_sharding_constraint(pairs, PartitionSpec(PAIRS)) if shared else pairs

    key = lane_keys(lane.seed).data
    train, metrics = mmcl.train(key, plan.recipe, lane.hyper, sample, state.train, done, steps)
    return state._replace(train=train), jax.tree.map(jnp.mean, metrics)


def score_lane(plan: Plan, lane: LaneData, state: LaneState) -> dict[str, ProbeScores]:
    """Scores of one lane by every probe, on fresh pairs."""
    key_fit, key_test, key_probe = jax.random.split(lane_keys(lane.seed).probe, 3)
    sample = _sampler(state.world, lane)
    pairs = probes.Split(sample(key_fit, plan.fit), sample(key_test, plan.test))
    z = probes.Split(*(_encode(plan, lane, state, part) for part in pairs))
    latents = probes.Split(*(probes.Latents(part.s, part.m_x, part.m_t) for part in pairs))
    return {
        name: _probe_scores(key_probe, probe, lane, z, latents)
        for name, probe in probes.PROBES.items()
    }


def _probe_scores(key, probe, lane, z, latents) -> ProbeScores:
    x = probes.Split(z.fit.x, z.test.x)
    t = probes.Split(z.fit.t, z.test.t)
    unbiased = lvm.unbiased(lane.bias)
    reverse = partial(probes.reverse_score, key, probe)
    return ProbeScores(
        x=probes.latent_scores(key, probe, x, latents),
        t=probes.latent_scores(key, probe, t, latents),
        attainable=probes.attainable_scores(key, probe, latents, unbiased),
        reverse_x=reverse(x, latents, unbiased, lane.hyper.dimensions),
        reverse_t=reverse(t, latents, unbiased, lane.hyper.dimensions),
    )


def _encode(plan, lane, state, pairs) -> mmcl.Modalities:
    return mmcl.encode(plan.recipe, lane.hyper, state.train.params, state.train.stats, pairs)


def _sampler(world: lvm.World, lane: LaneData) -> mmcl.training.Sampler:
    def sample(key, count):
        return lvm.sample_pairs(key, world, lane.bias, lane.noise_probability, count)

    return sample
