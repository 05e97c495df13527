"""Loading: a trained lane from a run directory, to encode arrays with it.

lane = load_lane("runs/selection", 3)
z = encode(lane, mmcl.Modalities(images, texts))
z_x = encode_images(lane, images)
"""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Shaped
from ml_collections import ConfigDict

import lvm
import mmcl
from experiments.domains.domain import World
from experiments.rundir.checkpoints import load_checkpoint
from experiments.rundir.claim import read_config, read_lanes
from experiments.rundir.describe import newest_checkpoint
from experiments.rundir.lane_identity import Lane
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
    """Returns the plan of the run in a directory; raises ValueError if it has none."""
    try:
        return order_lanes(make_plan(ConfigDict(read_config(directory))), read_lanes(directory))
    except AttributeError as error:
        raise ValueError(f"{directory} is of another version: its config has {error}") from None


def encode(lane: LoadedLane, observations: mmcl.Observations) -> mmcl.Modalities:
    """Returns representations of images x [n, ...] and texts t [n, ...]: float32 [n, outputs]."""
    return mmcl.encode(lane.params, lane.stats, observations, recipe=lane.recipe, hyper=lane.hyper)


def encode_images(
    lane: LoadedLane, images: Shaped[Array | np.ndarray, "n ..."]
) -> Float[Array, "n outputs"]:
    """Returns representations of images x [n, ...] without texts: float32 [n, outputs].

    Raises ValueError for an array that the image encoder of the lane does not take.
    """
    return encode(lane, mmcl.Modalities(images, None)).x


def encode_texts(
    lane: LoadedLane, texts: Shaped[Array | np.ndarray, "n ..."]
) -> Float[Array, "n outputs"]:
    """Returns representations of texts t [n, ...] without images: float32 [n, outputs].

    Captions are token ids, int [n, length], as `caption_ids` of the plan's domain returns. Raises
    ValueError for an array that the text encoder of the lane does not take.
    """
    return encode(lane, mmcl.Modalities(None, texts)).t
