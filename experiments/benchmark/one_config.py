"""One config: the cost of a training step and of a checkpoint in the sweep of one config."""

import tempfile
import time
from functools import cache, partial
from pathlib import Path

import jax
import numpy as np

from experiments.benchmark.measurement.cases import Row, first_state, prepare_sweep, unit_times
from experiments.benchmark.measurement.timing import measure
from experiments.benchmark.output_table import machine
from experiments.rundir.checkpoints import open_checkpoints
from experiments.runtime.devices import make_mesh
from experiments.sweep.compiled import compile_sweep
from experiments.sweep.plan import Plan, lanes_with_steps, select_lanes

REPEATS = 7


def lane_step_times(plan: Plan) -> tuple[float, Row]:
    """Returns seconds to compile, and milliseconds per lane-step in mid-training.

    The monitor scores are not computed.
    """
    load = cache(lambda: plan.domain.load(lambda fraction: None))
    make_state = partial(first_state, plan, load)
    prepared = prepare_sweep(plan, load, make_state, plan.log_every)
    seconds = measure({"": prepared.program}, REPEATS, 0.0)[""]
    return prepared.compile_seconds, unit_times(seconds, prepared.units)


def checkpoint_times(plan: Plan) -> tuple[float, float]:
    """Returns seconds that training waits while all lanes are saved, and until they are on disk.

    The checkpoint is written to a temporary directory.
    """
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    state = jax.tree.map(
        lambda leaf: np.zeros(leaf.shape, leaf.dtype) + 1,
        compile_sweep(plan, mesh, plan.domain.empty_shared()).shapes,
    )
    with tempfile.TemporaryDirectory() as directory:
        with open_checkpoints(Path(directory), range(len(plan.lanes))) as checkpoints:
            start = time.perf_counter()
            copies = jax.tree.map(np.array, state)
            checkpoints.save_async(0, copies, force=True)
            waiting = time.perf_counter() - start
        return waiting, time.perf_counter() - start


def describe(plan: Plan) -> str:
    """Returns two lines with the cost of a lane-step and of a checkpoint, and with the machine.

    If the settings of the plan differ in their number of steps, only the lanes with the fewest
    steps are measured.
    """
    plan = select_lanes(plan, lanes_with_steps(plan, min(plan.lane_steps)))
    compile_seconds, step = lane_step_times(plan)
    waiting, written = checkpoint_times(plan)
    return (
        f"{step['time_ms']:.2f} ms per lane-step in mid-training, median of {REPEATS} "
        f"({step['low']:.2f} to {step['high']:.2f}), {len(plan.lanes)} lanes, batch "
        f"{plan.recipe.batch}, widths {plan.recipe.widths}, compiled in {compile_seconds:.1f} s; "
        f"{machine()}, jax {jax.__version__}\n"
        f"checkpoint: training waits {1e3 * waiting:.0f} ms, written after {written:.2f} s"
    )
