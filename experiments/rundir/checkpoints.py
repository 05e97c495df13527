"""Checkpoints: the states of lanes, written by orbax while training goes on.

A checkpoint appears whole or not at all, and an older one goes only after its successor is whole.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from orbax.checkpoint import v1 as ocp

from experiments.rundir.checkpoint_files import (
    ArrayName,
    Checkpoint,
    array_names,
    block_directory,
    read_about,
    read_arrays,
)
from experiments.sweep.lane import LaneState

DAMAGED = "damaged"  # where checkpoints go that cannot be read
KEPT = 2  # newest checkpoints that stay on disk
CHUNK = 1 << 20  # bytes of an array that are read at once, or one lane of it if that is more


def open_checkpoints(directory: Path, lanes: Sequence[int]) -> ocp.training.Checkpointer:
    """The checkpoints of consecutive lanes in a run directory; close it when done."""
    context = ocp.Context()
    context.array.saving.scoped_storage_options_creator = _by_lane
    return ocp.training.Checkpointer(
        block_directory(directory, lanes).absolute(),
        context=context,
        preservation_policy=ocp.training.preservation_policies.LatestN(KEPT),
        cleanup_tmp_directories=True,
    )


def load(stored: Checkpoint, lanes: Sequence[int], like: LaneState) -> LaneState:
    """The state of some consecutive lanes of a checkpoint, on the host, in the structure of `like`.

    Raises UnreadableError if the checkpoint is damaged, ValueError if it holds something else: then
    another version of this code or of a library wrote it, and it is as good as ever for that.
    """
    read_about(stored)
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    names = [_name(path) for path, _ in paths]
    if other := set(names) ^ set(array_names(stored)):
        raise _foreign(stored, f"{'.'.join(min(other))} is not in both")
    arrays = read_arrays(stored, names, lanes)
    for name, (_, leaf), array in zip(names, paths, arrays, strict=True):
        there, here = (f"{one.dtype}{one.shape[1:]}" for one in (array, leaf))
        if there != here:
            raise _foreign(stored, f"{'.'.join(name)} is {there}, not {here}")
    return structure.unflatten(arrays)


def _foreign(stored: Checkpoint, what: str) -> ValueError:
    return ValueError(
        f"checkpoint {stored.path} is of another version: {what}; go on with the version that "
        "wrote it, or choose another --workdir"
    )


def set_aside(stored: Checkpoint) -> Path:
    """Moves a damaged checkpoint out of the way of its successors; returns where it is now."""
    aside = stored.path.parent.with_name(DAMAGED) / f"{stored.path.parent.name}_{stored.step}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(exist_ok=True)
    return stored.path.rename(aside)


def _by_lane(path: Any, array: Any) -> Any:
    """Stores an array in chunks along its axis of lanes, so that a lane can be read alone."""
    del path
    chunk = max(CHUNK, array.nbytes // max(array.shape[0], 1)) if np.ndim(array) else None
    return ocp.options.ArrayOptions.Saving.StorageOptions(chunk_byte_size=chunk, shard_axes=(0,))


def _name(path: Any) -> ArrayName:
    return tuple(
        str(next(getattr(part, kind) for kind in ("key", "name", "idx") if hasattr(part, kind)))
        for part in path
    )
