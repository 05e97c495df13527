"""Run: trains and scores a sweep; the same command in the same directory goes on where it was.

python -m experiments.run --config=experiments/configs/quickstart.py [--workdir=runs/quickstart]
"""

import sys
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax
from absl import app, flags, logging
from jax.sharding import Mesh
from ml_collections import config_flags
from rich.console import Console

from experiments.domains.domain import Shared
from experiments.report.write_report import print_end
from experiments.rundir.checkpoint_files import UnreadableError, list_checkpoints, newest_by_lane
from experiments.rundir.checkpoints import set_aside
from experiments.rundir.claim import check_claim, claimed, origin
from experiments.rundir.results import scored_lanes
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import (
    bytes_usable,
    is_out_of_memory,
    keep_compiled,
    make_mesh,
    use_every_core,
)
from experiments.runtime.processes import is_first, join, leave, wait_for_all
from experiments.runtime.progress import progress
from experiments.runtime.signals import Stopped, stop_requests
from experiments.sweep import run_block as work
from experiments.sweep.blocks import Block, blocks_left
from experiments.sweep.compiled import Sweep, make_sweep
from experiments.sweep.plan import Plan, arrange, make_plan, of_length, take

_WORKDIR = flags.DEFINE_string("workdir", None, "run directory; default is runs/CONFIG")
_COORDINATOR = flags.DEFINE_string("coordinator", None, "host:port of the first process")
_PROCESSES = flags.DEFINE_integer("processes", None, "processes in all; found by SLURM, TPU pods")
_PROCESS = flags.DEFINE_integer("process", None, "which process this is, from 0; likewise")
_DISTRIBUTED = flags.DEFINE_bool("distributed", False, "be one of several processes")


def run(
    plan: Plan, shared: Shared, directory: Path, console: Console, about: dict[str, Any]
) -> None:
    """Trains and scores every lane that has no scores yet, block by block, then reports.

    `shared` is what the plan's domain loads, `about` what checkpoints tell of their origin. Raises
    Stopped if that is requested.
    """
    say = partial(console.print, highlight=False, soft_wrap=True)
    largest = plan.lanes_per_block or len(plan.lanes)

    @lru_cache(1)  # each holds the data of the domain on every device
    def compiled(count, steps):
        return _compile(take(plan, of_length(plan, steps)[:count]), shared)

    with stop_requests() as stopping, progress(console) as show:
        while blocks := _blocks_left(plan, directory, largest):
            lanes = blocks[0].lanes
            try:
                sweep, mesh, fitting = compiled(len(lanes), plan.lengths[lanes[0]])
                if fitting < len(lanes):
                    say(f"{len(lanes)} lanes do not fit in memory together: {fitting} at a time")
                    largest = fitting
                    continue
                part = take(plan, lanes)
                work.finish(
                    work.Task(
                        blocks[0], part, plan, sweep, mesh, directory, about, stopping, show, say
                    )
                )
            except UnreadableError as error:
                if is_first():
                    say(f"{error}; it is now {set_aside(blocks[0].source)}")
            except jax.errors.JaxRuntimeError as error:
                if not is_out_of_memory(error) or len(lanes) == 1:
                    raise
                largest = -(-len(lanes) // 2)
                say(f"{len(lanes)} lanes ran out of memory together: {largest} at a time")
            wait_for_all("a block")
    if is_first():
        print_end(directory, console)


def _blocks_left(plan: Plan, directory: Path, largest: int) -> list[Block]:
    finished = scored_lanes(directory / "results.csv", plan.domain.scores)
    newest = newest_by_lane(list_checkpoints(directory))
    return blocks_left(finished, newest, plan.lengths, largest)


def _load(plan: Plan, console: Console) -> Shared:
    with progress(console) as show:
        return plan.domain.load(lambda share: show("reading data", share, ""))


def _compile(plan: Plan, shared: Shared) -> tuple[Sweep, Mesh, int]:
    """The sweep over a block, its devices, and how many of its lanes fit in their memory."""
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    sweep = make_sweep(plan, mesh, shared)
    needed = sweep.memory(min(plan.log_every, plan.steps))
    fitting = int(len(plan.lanes) * min(1, bytes_usable() / needed))
    return sweep, mesh, max(1, fitting)


def main(argv: list[str]) -> None:
    """The command line: everything is checked before any work starts."""
    logging.set_verbosity(logging.WARNING)
    if len(argv) > 1:
        sys.exit(f"error: unexpected argument {argv[1]!r}")
    name = config_flags.get_config_filename(flags.FLAGS["config"])
    directory = Path(_WORKDIR.value or Path("runs") / Path(name).stem)
    try:
        config = CONFIG.value
        plan = make_plan(config)
        use_every_core()
        keep_compiled()
        if _DISTRIBUTED.value or _COORDINATOR.value:
            join(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
        make_mesh(len(plan.lanes), plan.devices_per_lane)  # raises while nothing is written yet
        check_claim(directory, config, plan.lanes)  # before data are read, which can take long
        console = Console(quiet=not is_first())
        shared = _load(plan, console)
        with claimed(directory, config, plan.lanes) as lanes:
            run(arrange(plan, lanes), shared, directory, console, origin(config))
        leave()
    except Stopped as stopped:
        print(f"stopped after {stopped}; the same command goes on from there")
        sys.exit(130)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
