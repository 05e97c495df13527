"""Processes: one sweep over several processes, through JAX's own runtime.

Every process runs the same program on its part of the lanes. The first alone writes.
"""

import jax
import numpy as np
from jax.experimental import multihost_utils


def join(coordinator: str | None, processes: int | None, process: int | None) -> None:
    """Joins the processes of a sweep; call it before any other use of JAX.

    coordinator: "host:port" of the first process; processes: how many; process: which one this is,
    from 0. SLURM and TPU pods need none of them.
    """
    jax.distributed.initialize(coordinator, processes, process)


def leave() -> None:
    """Leaves, once every process is done."""
    if jax.process_count() > 1:
        wait_for_all("the end")
        jax.distributed.shutdown()


def is_first() -> bool:
    """Whether this process is the one that writes."""
    return jax.process_index() == 0


def wait_for_all(what: str) -> None:
    """Returns once every process has come here."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(what)


def any_process(flags: list[bool]) -> list[bool]:
    """Each flag, raised if any process raises it: the same answer in every process."""
    if jax.process_count() == 1:
        return flags
    return multihost_utils.process_allgather(np.array(flags)).any(0).tolist()
