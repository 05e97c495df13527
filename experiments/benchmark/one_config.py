"""One config: the cost of a training step and of a checkpoint in the sweep of one config."""

import tempfile
import time
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import jax
import numpy as np

from experiments.benchmark.measurement.cases import Row, first_state, prepare_sweep, unit_times
from experiments.benchmark.measurement.timing import measure
from experiments.benchmark.output_table import machine
from experiments.rundir.checkpoints import open_checkpoints
from experiments.runtime.devices import LANES, is_cpu, make_mesh
from experiments.runtime.progress import Show, counted, duration
from experiments.sweep.compiled import compile_sweep
from experiments.sweep.plan import Plan, lanes_with_steps, select_lanes

REPEATS = 7
LONG_CALL = 10.0  # seconds; steps of a call are as few as are needed to stay below
PERIOD = 20  # steps of whole cycles of the periodic work of optimisers other than Adam

Say = Callable[[str], object]


def lane_step_times(plan: Plan, show: Show, say: Say) -> tuple[float, Row]:
    """Returns seconds to compile, and milliseconds per lane-step in mid-training.

    The monitor scores are not computed. First `say` is called with an estimate from one lane.
    """
    load = cache(lambda: plan.domain.load(lambda fraction: show("reading data", fraction, "")))
    make_state = cache(partial(first_state, plan, load))
    one_lane = prepare_sweep(select_lanes(plan, [0]), load, make_state, 1).program
    start = time.perf_counter()
    jax.block_until_ready(one_lane.call(one_lane.initial))
    step_seconds = time.perf_counter() - start
    steps, call_seconds = _call_size(plan, step_seconds)
    say(
        f"first estimate, from one lane alone: {1e3 * step_seconds:,.0f} ms per step; compiling "
        f"{len(plan.lanes)} lanes; then {1 + REPEATS} calls of {steps} steps take about "
        f"{duration((1 + REPEATS) * call_seconds)}"
    )
    prepared = prepare_sweep(plan, load, make_state, steps)
    show("measuring", 0.0, "first call, not counted")
    done = iter(range(1, REPEATS + 1))

    def report(seconds):
        milliseconds = 1e3 * seconds / prepared.units
        show("measuring", next(done) / REPEATS, f"{milliseconds:.2f} ms per lane-step")

    seconds = measure({"": prepared.program}, REPEATS, 0.0, report)[""]
    return prepared.compile_seconds, unit_times(seconds, prepared.units)


def _call_size(plan: Plan, step_seconds: float) -> tuple[int, float]:
    """Steps of a call of all lanes, at most `log_every`, and the seconds that it takes, about.

    step_seconds: of a step of one lane. An accelerator runs its lanes together, so that its calls
                  take longer than this estimate.
    """
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    in_turn = -(-len(plan.lanes) // mesh.shape[LANES]) if is_cpu(mesh) else 1
    least = 1 if plan.recipe.optimizer == "adam" else PERIOD
    affordable = int(LONG_CALL / (in_turn * step_seconds)) // least * least
    steps = min(plan.log_every, max(least, affordable))
    return steps, steps * in_turn * step_seconds


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


def describe(plan: Plan, show: Show, say: Say) -> str:
    """Returns two lines with the cost of a lane-step and of a checkpoint, and with the machine.

    If the settings of the plan differ in their number of steps, only the lanes with the fewest
    steps are measured.
    """
    plan = select_lanes(plan, lanes_with_steps(plan, min(plan.lane_steps)))
    say(f"compiling one of {counted(len(plan.lanes), 'lane')} ...")
    compile_seconds, step = lane_step_times(plan, show, say)
    waiting, written = checkpoint_times(plan)
    return (
        f"{step['time_ms']:.2f} ms per lane-step in mid-training, median of {REPEATS} "
        f"({step['low']:.2f} to {step['high']:.2f}), {len(plan.lanes)} lanes, batch "
        f"{plan.recipe.batch}, widths {plan.recipe.widths}, compiled in {compile_seconds:.1f} s; "
        f"{machine()}, jax {jax.__version__}\n"
        f"checkpoint: training waits {1e3 * waiting:.0f} ms, written after {written:.2f} s"
    )
