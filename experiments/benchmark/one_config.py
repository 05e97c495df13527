"""Single: what a training step costs, in a sweep over the settings of one config."""

import tempfile
import time
from functools import cache, partial
from pathlib import Path

import jax
import numpy as np

from experiments.benchmark.measurement.cases import Row, first_state, in_a_sweep, times_a_unit
from experiments.benchmark.measurement.timing import measure
from experiments.benchmark.output_table import machine
from experiments.rundir.checkpoints import open_checkpoints
from experiments.runtime.devices import make_mesh
from experiments.sweep.compiled import make_sweep
from experiments.sweep.plan import Plan, of_length, take

REPEATS = 7


def lane_step_times(plan: Plan) -> tuple[float, Row]:
    """Seconds to compile; milliseconds a lane-step half way, without glances."""
    load = cache(lambda: plan.domain.load(lambda share: None))
    ready = in_a_sweep(plan, load, partial(first_state, plan, load), plan.log_every)
    seconds = measure({"": ready.program}, REPEATS, 0.0)[""]
    return ready.compiling, times_a_unit(seconds, ready.units)


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
    compiling, step = lane_step_times(plan)
    waiting, whole = checkpoint_times(plan)
    return (
        f"{step['time_ms']:.2f} ms a lane-step half way, median of {REPEATS} "
        f"({step['low']:.2f} to {step['high']:.2f}), {len(plan.lanes)} lanes, batch "
        f"{plan.recipe.batch}, widths {plan.recipe.widths}, compiled in {compiling:.1f} s; "
        f"{machine()}, jax {jax.__version__}\n"
        f"a checkpoint: training waits {1e3 * waiting:.0f} ms, it is whole after {whole:.2f} s"
    )
