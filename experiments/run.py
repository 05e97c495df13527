"""Run: trains and scores a sweep; the same command in the same directory resumes it.

misalign run quickstart [--workdir=runs/quickstart]
python -m experiments.run --config=experiments/configs/quickstart.py
"""

import gc
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import jax
from absl import app, flags, logging
from jax.sharding import Mesh
from ml_collections import config_flags
from rich.console import Console

from experiments.domains.domain import Shared
from experiments.domains.given_world import with_hash
from experiments.loggers import Log, check_loggers, no_log, open_loggers
from experiments.report.write_report import print_summary
from experiments.rundir.checkpoint_files import UnreadableError, list_checkpoints, newest_by_lane
from experiments.rundir.checkpoints import set_aside
from experiments.rundir.claim import check_claim, checkpoint_metadata, claimed, read_lanes
from experiments.rundir.differences import grown_lanes
from experiments.rundir.progress_file import temporary_progress, write_progress
from experiments.rundir.results import scored_lanes
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.runtime.devices import (
    bytes_usable,
    enable_compilation_cache,
    fix_numeric_settings,
    is_out_of_memory,
    make_mesh,
    use_every_core,
)
from experiments.runtime.processes import is_first, join, leave, wait_for_all
from experiments.runtime.progress import counted, progress
from experiments.runtime.signals import Stopped, stop_requests
from experiments.runtime.user_errors import user_errors
from experiments.sweep.blocks import Block, remaining_blocks
from experiments.sweep.compiled import CompiledSweep, compile_sweep
from experiments.sweep.estimate import estimate_lines
from experiments.sweep.plan import (
    Plan,
    lanes_of,
    lanes_with_steps,
    make_plan,
    order_lanes,
    select_lanes,
)
from experiments.sweep.run_block import BlockTask, run_block
from experiments.sweep.trace_checks import check_parts

_WORKDIR = flags.DEFINE_string("workdir", None, "run directory; default is runs/CONFIG")
_COORDINATOR = flags.DEFINE_string("coordinator", None, "host:port of the first process")
_PROCESSES = flags.DEFINE_integer("processes", None, "number of processes; SLURM and TPUs set it")
_PROCESS = flags.DEFINE_integer("process", None, "number of this process, from 0; likewise")
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "print lanes, memory and time; write nothing")
_DISTRIBUTED = flags.DEFINE_bool("distributed", False, "be one of several processes")


def run(
    plan: Plan,
    shared: Shared,
    directory: Path,
    *,
    console: Console,
    metadata: dict[str, Any],
    log: Log = no_log,
) -> None:
    """Trains and scores every lane that has no scores yet, then prints a summary.

    The arguments and errors are those of `run_blocks`.
    """
    run_blocks(plan, shared, directory, console=console, metadata=metadata, log=log)
    if is_first():
        print_summary(directory, console)


def run_blocks(
    plan: Plan,
    shared: Shared,
    directory: Path,
    *,
    console: Console,
    metadata: dict[str, Any],
    results: Path | None = None,
    log: Log = no_log,
) -> None:
    """Trains and scores, block by block, every lane that has no scores yet.

    shared:   arrays of the plan's domain.
    metadata: of checkpoints.
    results:  the file of the scores; None for `results.csv` of the directory.
    log:      called with the new rows of the history.

    Raises Stopped if a stop is requested.
    """
    results = results or directory / "results.csv"
    say = partial(console.print, highlight=False, soft_wrap=True, markup=False)
    largest = plan.lanes_per_block or len(plan.lanes)

    @lru_cache(1)  # each entry holds the data of the domain on every device
    def compiled(count, steps):
        return _compile(select_lanes(plan, lanes_with_steps(plan, steps)[:count]), shared)

    own_progress = temporary_progress(directory) if is_first() else nullcontext()
    with stop_requests() as stopping, progress(console) as show, own_progress:
        announce(remaining(plan, directory, results, largest), directory, say)
        while blocks := remaining(plan, directory, results, largest):
            block = blocks[0]
            count = len(block.lanes)
            try:
                sweep, mesh, fitting = compiled(count, plan.lane_steps[block.lanes[0]])
                if fitting < count:
                    say(f"{count} lanes do not fit in memory together: {fitting} at a time")
                    largest = fitting
                    continue
                run_block(
                    BlockTask(
                        block=block,
                        plan=select_lanes(plan, block.lanes),
                        full_plan=plan,
                        sweep=sweep,
                        mesh=mesh,
                        directory=directory,
                        results=results,
                        metadata=metadata,
                        stopping=stopping,
                        show=show,
                        say=say,
                        log=log,
                    )
                )
            except UnreadableError as error:
                if is_first():
                    say(f"{error}; it is now {set_aside(block.source)}")
            except jax.errors.JaxRuntimeError as error:
                if not is_out_of_memory(error) or count == 1:
                    raise
                largest = -(-count // 2)
                say(f"{count} lanes ran out of memory together: {largest} at a time")
            wait_for_all("block end")


def remaining(plan: Plan, directory: Path, results: Path, largest: int) -> list[Block]:
    """Returns the blocks of the lanes of a run directory that have no scores in `results` yet."""
    finished = scored_lanes(results, plan.domain.scores_per_lane, plan.lane_steps)
    newest = newest_by_lane(list_checkpoints(directory))
    return remaining_blocks(finished, newest, plan.lane_steps, largest)


def announce(blocks: Sequence[Block], directory: Path, say: Callable[[str], object]) -> None:
    """Prints one line on the lanes and blocks that are about to be compiled, if there are any."""
    if blocks and is_first():
        lanes = sum(len(block.lanes) for block in blocks)
        say(f"compiling {counted(lanes, 'lane')} in {counted(len(blocks), 'block')} ...")
        write_progress(directory, {"activity": "compiling"})


def _compile(plan: Plan, shared: Shared) -> tuple[CompiledSweep, Mesh, int]:
    """The sweep over a block, its devices, and the number of its lanes that fit in memory."""
    mesh = make_mesh(len(plan.lanes), plan.devices_per_lane)
    sweep = compile_sweep(plan, mesh, shared)
    with ThreadPoolExecutor(1) as other_core:  # a program is compiled mostly on one
        scores = other_core.submit(sweep.compile_scores)
        needed = sweep.memory(min(plan.log_every, plan.steps))
        scores.result()
    fitting = int(len(plan.lanes) * min(1, bytes_usable() / needed))
    return sweep, mesh, max(1, fitting)


def print_estimate(plan: Plan, shared: Shared, directory: Path, console: Console) -> None:
    """Prints the lanes that have no scores yet, their blocks, memory and time; writes nothing."""
    if (directory / "config.json").exists():
        present = grown_lanes(read_lanes(directory), plan.lanes, can_continue=True)
        added = [lane for lane in plan.lanes if lane not in present]
        plan = order_lanes(plan, [*present, *added])
    largest = plan.lanes_per_block or len(plan.lanes)
    blocks = remaining(plan, directory, directory / "results.csv", largest)
    for line in estimate_lines(plan, shared, blocks):
        console.print(line, highlight=False, soft_wrap=True, markup=False)


def load_shared(plan: Plan, console: Console) -> Shared:
    """Returns the arrays of the plan's domain; shows the progress of reading them."""
    with progress(console) as show:
        return plan.domain.load(lambda fraction: show("reading data", fraction, ""))


def start(directory: Path) -> None:
    """Runs the config of the command line; everything is checked before any work starts."""
    config = with_hash(CONFIG.value)
    plan = make_plan(config)
    loggers = check_loggers(config.get("loggers", ()))
    fix_numeric_settings()
    use_every_core()
    enable_compilation_cache()
    if _DISTRIBUTED.value or _COORDINATOR.value:
        join(_COORDINATOR.value, _PROCESSES.value, _PROCESS.value)
    make_mesh(len(plan.lanes), plan.devices_per_lane)  # raises before anything is written
    if plugins := config.get("plugins", ()):
        check_parts(plan, plugins)
    # before data are read, which can take long
    check_claim(directory, config, plan.lanes, lanes_of)
    console = Console(quiet=not is_first())
    shared = load_shared(plan, console)
    if _DRY_RUN.value:
        print_estimate(plan, shared, directory, console)
        leave()
        return
    with claimed(directory, config, plan.lanes, lanes_of) as lanes:
        say = partial(console.print, highlight=False, soft_wrap=True, markup=False)
        plan, metadata = order_lanes(plan, lanes), checkpoint_metadata(config)
        with open_loggers(loggers if is_first() else (), directory, say) as log:
            run(plan, shared, directory, console=console, metadata=metadata, log=log)
    leave()


def main(argv: list[str]) -> None:
    """Runs the command line."""
    logging.set_verbosity(logging.WARNING)
    if len(argv) > 1:
        sys.exit(f"error: unexpected argument {argv[1]!r}")
    name = config_flags.get_config_filename(flags.FLAGS["config"])
    directory = Path(_WORKDIR.value or Path("runs") / Path(name).stem)
    with user_errors():
        try:
            start(directory)
        except Stopped as stopped:
            print(f"stopped after {stopped}; the same command resumes there")
            sys.exit(130)


if __name__ == "__main__":
    gc.freeze()  # what is imported lives to the end: collections need not search it
    flags.mark_flag_as_required("config")
    app.run(main, flags_parser=parse_flags)
