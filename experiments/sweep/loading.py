"""Lanes: a trained lane out of a run directory, to call it on one's own data.

lane = load_lane("runs/selection", 3)
z = encode(lane, mmcl.Modalities(images, texts))
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

import lvm
import mmcl
from experiments.domains.domain import World
from experiments.rundir.checkpoints import load
from experiments.rundir.claim import read_config, read_lanes
from experiments.rundir.describe import locate
from experiments.sweep.lane import init_lane
from experiments.sweep.plan import Plan, arrange, make_plan, take
from experiments.sweep.settings import Lane


class LoadedLane(NamedTuple):
    """One lane as its newest checkpoint holds it.

    lane: its identity; step: steps done; recipe: static, hyper: traced choices of its training;
    bias and world: of its data; params and stats: of its encoders, Modalities of pytrees.
    """

    lane: Lane
    step: int
    recipe: mmcl.Recipe
    hyper: mmcl.Hyperparameters
    bias: lvm.Bias
    world: World
    params: mmcl.Modalities
    stats: mmcl.Modalities


def load_lane(directory: str | Path, number: int) -> LoadedLane:
    """The lane with this number, as in `results.csv`; reads nothing of the others.

    Raises ValueError if this is no run directory, if it has no such lane, if the lane has no
    checkpoint yet, or if that is damaged.
    """
    directory = Path(directory)
    stored, _ = locate(directory, number)
    plan = take(read_plan(directory), [number])
    init = jax.vmap(partial(init_lane, plan), in_axes=(None, 0))
    shapes = jax.eval_shape(init, plan.domain.blank, plan.data)
    state, data = jax.tree.map(
        lambda leaf: jnp.asarray(leaf[0]), (load(stored, [number], shapes), plan.data)
    )
    return LoadedLane(
        plan.lanes[0],
        stored.step,
        plan.recipe,
        data.hyper,
        data.bias,
        state.world,
        state.train.params,
        state.train.stats,
    )


def read_plan(directory: Path) -> Plan:
    """The plan of the run in a directory; raises ValueError if there is none of this version."""
    try:
        return arrange(make_plan(ConfigDict(read_config(directory))), read_lanes(directory))
    except AttributeError as error:
        raise ValueError(f"{directory} is of another version: its config has {error}") from None


def encode(lane: LoadedLane, observations: mmcl.Observations) -> mmcl.Modalities:
    """Representations of images x [n, p] and texts t [n, q]: float32 [n, outputs] each."""
    return mmcl.encode(lane.params, lane.stats, observations, recipe=lane.recipe, hyper=lane.hyper)
