"""Single: what a training step costs, in a sweep over the settings of one config."""

import statistics
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from experiments.benchmark.table import machine
from experiments.checkpoints import open_checkpoints
from experiments.devices import make_mesh, on_devices
from experiments.plan import Plan, of_length, take
from experiments.sweep import make_sweep

REPEATS = 7


def lane_step_times(plan: Plan) -> tuple[float, list[float]]:
    """Seconds to compile and run the first chunk; milliseconds a lane-step in those after it."""
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    sweep = make_sweep(plan, mesh, plan.domain.load(lambda share: None))
    data, state = on_devices(mesh, (plan.data, sweep.init(plan.data)))
    seconds = []
    for repeat in range(REPEATS + 1):
        start = time.perf_counter()
        state, advance = sweep.train(data, state, repeat * plan.log_every, plan.log_every)
        jax.block_until_ready((state, advance))
        seconds.append(time.perf_counter() - start)
    return seconds[0], [1e3 * time / plan.log_every / len(plan.lanes) for time in seconds[1:]]


def checkpoint_times(plan: Plan) -> tuple[float, float]:
    """Seconds that saving all lanes once keeps training waiting, and until the checkpoint is whole.

    The directory is one for temporary files.
    """
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    state = jax.tree.map(
        lambda leaf: np.zeros(leaf.shape, leaf.dtype) + 1,
        make_sweep(plan, mesh, plan.domain.blank).shapes,
    )
    with tempfile.TemporaryDirectory() as directory:
        with open_checkpoints(Path(directory), range(len(plan.lanes))) as checkpoints:
            start = time.perf_counter()
            copies = jax.tree.map(np.array, state)
            checkpoints.save_async(0, copies, force=True)
            waiting = time.perf_counter() - start
        return waiting, time.perf_counter() - start


def describe(plan: Plan) -> str:
    """What a lane-step and a checkpoint of a plan cost, in two lines, with the machine.

    If some settings have steps of their own, of the lanes of the shortest training.
    """
    plan = take(plan, of_length(plan, min(plan.lengths)))
    compiling, times = lane_step_times(plan)
    waiting, whole = checkpoint_times(plan)
    return (
        f"{statistics.median(times):.2f} ms a lane-step, median of {REPEATS} "
        f"({min(times):.2f} to {max(times):.2f}), {len(plan.lanes)} lanes, batch "
        f"{plan.recipe.batch}, widths {plan.recipe.widths}, first chunk {compiling:.1f} s; "
        f"{machine()}, jax {jax.__version__}\n"
        f"a checkpoint: training waits {1e3 * waiting:.0f} ms, it is whole after {whole:.2f} s"
    )
