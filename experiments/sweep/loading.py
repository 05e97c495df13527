"""Loading: a trained lane from a run directory, to encode arrays with it.

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
from experiments.rundir.checkpoint_files import read_run
from experiments.rundir.checkpoints import load_checkpoint
from experiments.rundir.claim import read_lanes
from experiments.rundir.describe import newest_checkpoint
from experiments.rundir.lane_identity import Lane
from experiments.runtime.plugins import warn_of_changes
from experiments.sweep.lane import init_lane
from experiments.sweep.plan import Plan, make_plan, order_lanes, select_lanes


class LoadedLane(NamedTuple):
    """One lane at its newest checkpoint.

    identity:      setting, seed and size, as in `results.csv`.
    step:          number of steps done.
    recipe, hyper: static and traced choices of its training.
    bias, world:   of its data.
    params, stats: of its encoders, Modalities of pytrees.
    """

    identity: Lane
    step: int
    recipe: mmcl.Recipe
    hyper: mmcl.Hyperparameters
    bias: lvm.Bias
    world: World
    params: mmcl.Modalities
    stats: mmcl.Modalities


def load_lane(directory: str | Path, number: int) -> LoadedLane:
    """Returns the lane with this number, as in `results.csv`; reads no other lane.

    Raises ValueError if `directory` is not a run directory, if it has no such lane, or if the lane
    has no checkpoint or a damaged one.
    """
    directory = Path(directory)
    checkpoint, _ = newest_checkpoint(directory, number)
    plan = select_lanes(read_plan(directory), [number])
    init = jax.vmap(partial(init_lane, plan), in_axes=(None, 0))
    shapes = jax.eval_shape(init, plan.domain.empty_shared(), plan.data)
    state, data = jax.tree.map(
        lambda leaf: jnp.asarray(leaf[0]),
        (load_checkpoint(checkpoint, [number], shapes), plan.data),
    )
    return LoadedLane(
        plan.lanes[0],
        checkpoint.step,
        plan.recipe,
        data.hyper,
        data.bias,
        state.world,
        state.train.params,
        state.train.stats,
    )


def read_plan(directory: Path) -> Plan:
    """Returns the plan of the run in a directory, and warns of plugins that have changed.

    Raises ValueError if there is no run, or a plugin of it is missing.
    """
    run = read_run(directory)
    warn_of_changes(directory, run["plugins"])
    try:
        return order_lanes(make_plan(ConfigDict(run["config"])), read_lanes(directory))
    except AttributeError as error:
        raise ValueError(f"{directory} is of another version: its config has {error}") from None


def encode(lane: LoadedLane, observations: mmcl.Observations) -> mmcl.Modalities:
    """Returns representations of images x [n, ...] and texts t [n, ...]: float32 [n, outputs]."""
    return mmcl.encode(lane.params, lane.stats, observations, recipe=lane.recipe, hyper=lane.hyper)
