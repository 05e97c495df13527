"""Benchmark: what a training step costs, in a sweep over the settings of a config.

python -m experiments.benchmark --config=experiments/configs/selection.py
"""

import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

import jax
import numpy as np
from absl import app, flags, logging

from experiments.checkpoints import open_checkpoints
from experiments.command_line import CONFIG, parse_flags
from experiments.devices import make_mesh, on_devices, use_every_core
from experiments.plan import Plan, make_plan
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


def main(argv: list[str]) -> None:
    """Prints one line, with the machine."""
    del argv
    logging.set_verbosity(logging.WARNING)
    try:
        plan = make_plan(CONFIG.value)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    use_every_core()
    compiling, times = lane_step_times(plan)
    device = jax.devices()[0]
    print(
        f"{statistics.median(times):.2f} ms a lane-step, median of {REPEATS} "
        f"({min(times):.2f} to {max(times):.2f}), {len(plan.lanes)} lanes, batch "
        f"{plan.recipe.batch}, widths {plan.recipe.widths}, first chunk {compiling:.1f} s; "
        f"{jax.device_count()} x {device.device_kind} ({platform.machine()}), jax {jax.__version__}"
    )
    waiting, whole = checkpoint_times(plan)
    print(f"a checkpoint: training waits {1e3 * waiting:.0f} ms, it is whole after {whole:.2f} s")


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
