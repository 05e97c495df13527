"""Checkpoints: the states of all lanes on disk, through orbax."""

from pathlib import Path

import jax
from orbax.checkpoint import v1 as ocp

from experiments.sweep import LaneState

KEPT = 2  # newest checkpoints that stay on disk


def open_checkpoints(directory: Path) -> ocp.training.Checkpointer:
    """The checkpoints of a run directory; close it when done."""
    return ocp.training.Checkpointer(
        (directory / "checkpoints").absolute(),
        preservation_policy=ocp.training.preservation_policies.LatestN(KEPT),
        cleanup_tmp_directories=True,
    )


def save(checkpointer: ocp.training.Checkpointer, step: int, state: LaneState) -> None:
    """Saves the lanes after `step` steps; a half-written checkpoint never counts as one."""
    checkpointer.save(step, state)


def restore(checkpointer: ocp.training.Checkpointer, like: LaneState) -> tuple[int, LaneState]:
    """The newest checkpoint as (steps done, state), or (0, `like`) if there is none yet."""
    if checkpointer.latest is None:
        return 0, like
    step = checkpointer.latest.step
    return step, checkpointer.load(step, jax.tree.map(ocp.arrays.to_shape_dtype_struct, like))
