"""Checkpoints: the states of lanes, written by orbax while training goes on.

Writes are atomic, and an older checkpoint is removed only after its successor is complete.
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
    checksums,
    plain_path,
    read_arrays,
    read_metadata,
)

DAMAGED = "damaged"  # folder of checkpoints that cannot be read
CHECKPOINTS_ON_DISK = 2
CHUNK = 1 << 20  # bytes of an array that are read at once, or one lane of it if that is more


def open_checkpoints(directory: Path, lanes: Sequence[int]) -> ocp.training.Checkpointer:
    """Opens the checkpoints of consecutive lanes in a run directory; close it when done."""
    block = block_directory(directory, lanes).absolute()
    block.parent.mkdir(parents=True, exist_ok=True)  # a link leads there if its name is not plain
    context = ocp.Context()
    context.array.saving.scoped_storage_options_creator = _by_lane
    return ocp.training.Checkpointer(
        plain_path(block),
        context=context,
        preservation_policy=ocp.training.preservation_policies.LatestN(CHECKPOINTS_ON_DISK),
        cleanup_tmp_directories=True,
    )


def saved_metadata(metadata: dict[str, Any], state: Any) -> dict[str, Any]:
    """Returns the metadata of a checkpoint of a state on the host, with its checksums."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(state)
    return metadata | {"checksums": checksums({_name(path): leaf for path, leaf in leaves})}


def load_checkpoint(checkpoint: Checkpoint, lanes: Sequence[int], like: Any) -> Any:
    """Returns the state of some consecutive lanes, on the host, in the structure of `like`.

    Raises UnreadableError if the checkpoint is damaged, ValueError if its arrays differ from those
    of `like`: then another version of this code or of a library wrote it.
    """
    read_metadata(checkpoint)
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    names = [_name(path) for path, _ in paths]
    if differing := set(names) ^ set(array_names(checkpoint)):
        raise _foreign(checkpoint, f"{'.'.join(min(differing))} is not in both")
    arrays = read_arrays(checkpoint, names, lanes)
    for name, (_, leaf), array in zip(names, paths, arrays, strict=True):
        stored, expected = (f"{one.dtype}{one.shape[1:]}" for one in (array, leaf))
        if stored != expected:
            raise _foreign(checkpoint, f"{'.'.join(name)} is {stored}, not {expected}")
    return structure.unflatten(arrays)


def _foreign(checkpoint: Checkpoint, difference: str) -> ValueError:
    return ValueError(
        f"checkpoint {checkpoint.path} is of another version: {difference}; go on with the version "
        "that wrote it, or choose another --workdir"
    )


def set_aside(checkpoint: Checkpoint) -> Path:
    """Moves a damaged checkpoint out of the way of its successors; returns its new path."""
    block = checkpoint.path.parent
    aside = block.with_name(DAMAGED) / f"{block.name}_{checkpoint.step}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.parent.mkdir(exist_ok=True)
    return checkpoint.path.rename(aside)


def _by_lane(path: Any, array: Any) -> Any:
    """Stores an array in chunks along its axis of lanes, so that single lanes can be read."""
    del path
    chunk = max(CHUNK, array.nbytes // max(array.shape[0], 1)) if np.ndim(array) else None
    return ocp.options.ArrayOptions.Saving.StorageOptions(chunk_byte_size=chunk, shard_axes=(0,))


def _name(path: Any) -> ArrayName:
    return tuple(
        str(next(getattr(part, kind) for kind in ("key", "name", "idx") if hasattr(part, kind)))
        for part in path
    )
