"""Loading: a trained lane from a run directory, to encode arrays with it.

lane = load_lane("runs/selection", 3)
z = encode(lane, mmcl.Modalities(images, texts))
lanes = load_lanes("runs/selection", "dependence=independent")
z_x = encode_images(lane, images)
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
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
from experiments.rundir.checkpoint_files import Checkpoint, read_run
from experiments.rundir.checkpoints import load_checkpoint
from experiments.rundir.claim import read_lanes
from experiments.rundir.describe import newest_checkpoint
from experiments.rundir.lane_identity import Lane
from experiments.runtime.plugins import warn_of_changes
from experiments.sweep.lane import LaneState, hyper_of, init_lane
from experiments.sweep.only import choose_lanes
from experiments.sweep.plan import Plan, make_plan, order_lanes, select_lanes


class LoadedLane(NamedTuple):
    """One lane at its newest checkpoint.

    identity:      setting, seed and size, as in `results.csv`.
    step:          number of steps done.
    recipe, hyper: static and traced choices of its training; the dimensions are those of its
                   encoding size.
    bias, world:   of its data.
    params, stats: of its encoders, Modalities of pytrees.
    size:          the estimate of the encoding size; () if the recipe does not estimate it.
    """

    identity: Lane
    step: int
    recipe: mmcl.Recipe
    hyper: mmcl.Hyperparameters
    bias: lvm.Bias
    world: World
    params: mmcl.Modalities
    stats: mmcl.Modalities
    size: mmcl.EncodingSize | tuple[()]


class LoadedLanes(NamedTuple):
    """Several lanes at their newest checkpoints; arrays have a leading axis of lanes.

    numbers, identities, steps: of each lane, as in `LoadedLane`.
    recipe: of the first lane; those of lanes with other steps differ in `refine_from` alone.
    hyper, bias, world, params, stats, size: as in `LoadedLane`, stacked.
    """

    numbers: tuple[int, ...]
    identities: tuple[Lane, ...]
    steps: tuple[int, ...]
    recipe: mmcl.Recipe
    hyper: mmcl.Hyperparameters
    bias: lvm.Bias
    world: World
    params: mmcl.Modalities
    stats: mmcl.Modalities
    size: mmcl.EncodingSize | tuple[()]


def load_lanes(directory: str | Path, only: str | Sequence[str] = ()) -> LoadedLanes:
    """Returns lanes of a run with their states stacked, for `vmap`.

    only: the name of a setting or conditions on columns, such as "dependence=independent,seed=0";
          of several, a lane meets one at least. () for all lanes.

    Raises ValueError as `load_lane` does, and for conditions that no lane meets.
    """
    directory = Path(directory)
    numbers = chosen_numbers(directory, only)
    plan = select_lanes(read_plan(directory), numbers)
    states, steps = [], []
    for checkpoint, lanes in _by_checkpoint(directory, numbers):
        states.append(load_checkpoint(checkpoint, lanes, _state_shapes(plan)))
        steps += [checkpoint.step] * len(lanes)
    state = jax.tree.map(lambda *parts: jnp.asarray(np.concatenate(parts)), *states)
    data = jax.tree.map(jnp.asarray, plan.data)
    return LoadedLanes(
        tuple(numbers),
        plan.lanes,
        tuple(steps),
        plan.recipes[0],
        jax.vmap(hyper_of)(data, state),
        data.bias,
        state.world,
        state.train.params,
        state.train.stats,
        state.size,
    )


def chosen_numbers(directory: Path, only: str | Sequence[str] = ()) -> list[int]:
    """Returns the numbers of the lanes of a run that `only` chooses, as in `load_lanes`."""
    lanes = read_lanes(directory)
    chosen = choose_lanes(lanes, [only] if isinstance(only, str) else only)
    return [number for number, lane in enumerate(lanes) if lane in chosen]


def _by_checkpoint(
    directory: Path, numbers: Sequence[int]
) -> Iterator[tuple[Checkpoint, list[int]]]:
    """Yields the newest checkpoint of every run of consecutive lanes."""
    newest = {number: newest_checkpoint(directory, number)[0] for number in numbers}
    key = lambda pair: (pair[1] - pair[0], newest[pair[1]])
    for (_, checkpoint), pairs in groupby(enumerate(numbers), key):
        yield checkpoint, [number for _, number in pairs]


def _state_shapes(plan: Plan) -> LaneState:
    """Shapes of the states of the lanes of a plan."""
    plan = plan._replace(recipes=plan.recipes[:1])  # all lead to the same shapes
    init = jax.vmap(partial(init_lane, plan), in_axes=(None, 0))
    return jax.eval_shape(init, plan.domain.empty_shared(), plan.data)


def load_lane(directory: str | Path, number: int) -> LoadedLane:
    """Returns the lane with this number, as in `results.csv`; reads no other lane.

    Raises ValueError if `directory` is not a run directory, if it has no such lane, or if the lane
    has no checkpoint or a damaged one.
    """
    directory = Path(directory)
    checkpoint, _ = newest_checkpoint(directory, number)
    plan = select_lanes(read_plan(directory), [number])
    state, data = jax.tree.map(
        lambda leaf: jnp.asarray(leaf[0]),
        (load_checkpoint(checkpoint, [number], _state_shapes(plan)), plan.data),
    )
    return LoadedLane(
        plan.lanes[0],
        checkpoint.step,
        plan.recipe,
        hyper_of(data, state),
        data.bias,
        state.world,
        state.train.params,
        state.train.stats,
        state.size,
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
