"""Processes: one sweep over several processes, through JAX's own runtime.

Every process runs the same program on its part of the lanes. Only the first one writes.
"""

import jax
import numpy as np
from jax.experimental import multihost_utils


def join(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Joins the processes of a sweep; call it before any other use of JAX.

    coordinator: "host:port" of the first process.
    processes:   their number.
    process:     number of this process, from 0.

    On SLURM and TPU pods all three can be None.
    """
    try:
        jax.distributed.initialize(coordinator, processes, process)
    except ValueError as error:
        raise ValueError(
            f"processes cannot join: give --coordinator, --processes and --process ({error})"
        ) from None


def leave() -> None:
    """Leaves the sweep once every process is done."""
    if jax.process_count() > 1:
        wait_for_all("the end")
        jax.distributed.shutdown()


def is_first() -> bool:
    """Returns whether this process is the one that writes."""
    return jax.process_index() == 0


def wait_for_all(name: str) -> None:
    """Returns once every process has called this."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def any_process(flags: list[bool]) -> list[bool]:
    """Returns each flag, True if any process has it True; the same in every process."""
    if jax.process_count() == 1:
        return flags
    return multihost_utils.process_allgather(np.array(flags)).any(0).tolist()
