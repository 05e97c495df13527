"""Run block: trains, saves and scores the lanes that run together."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from experiments.domains.domain import Scores
from experiments.loggers import Log
from experiments.rundir import history
from experiments.rundir.checkpoint_files import first_line, read_metadata
from experiments.rundir.checkpoints import (
    DAMAGED,
    load_checkpoint,
    open_checkpoints,
    saved_metadata,
)
from experiments.rundir.results import add_results, results_table
from experiments.runtime.devices import LANES, gather, shard_lanes
from experiments.runtime.processes import any_process, is_first
from experiments.runtime.progress import Show
from experiments.runtime.signals import Stopped
from experiments.sweep.block_progress import BlockProgress, block_progress
from experiments.sweep.blocks import Block
from experiments.sweep.compiled import Advance, CompiledSweep, scored_together
from experiments.sweep.lane import LaneState
from experiments.sweep.lane_status import lane_statuses
from experiments.sweep.plan import Plan

SAVE_ERRORS = (OSError, RuntimeError, ValueError)
SPARE_BYTES = 1 << 20  # of a disk that are left free


class BlockTask(NamedTuple):
    """A block of lanes, with everything that running it needs.

    plan, full_plan: of the lanes of the block, and of all lanes.
    results:         the file that scores are added to.
    metadata:        of checkpoints.
    stopping:        returns whether a stop is requested.
    show, say:       progress, and printing of a line.
    log:             called with the new rows of the history.
    """

    block: Block
    plan: Plan
    full_plan: Plan
    sweep: CompiledSweep
    mesh: Mesh
    directory: Path
    results: Path
    metadata: dict[str, Any]
    stopping: Callable[[], bool]
    show: Show
    say: Callable[[str], None]
    log: Log


def run_block(task: BlockTask) -> None:
    """Trains and scores a block and adds its scores to the results."""
    done, state = _first_state(task)
    state = _train(task, done, state)
    scores = _score(task, state)
    failed_at = gather(state.train.failed_at).tolist()[: len(scores)]
    if is_first():
        numbers, domain = task.block.lanes, task.plan.domain
        statuses = lane_statuses(task.plan, numbers, failed_at, history.read(task.directory))
        numbered = dict(zip(numbers, task.plan.lanes, strict=True))
        rows = results_table(numbered, scores, statuses, domain.score_rows)
        add_results(task.results, rows)


def _first_state(task: BlockTask) -> tuple[int, LaneState]:
    """Steps done and the states, on the host, from the checkpoint of the block if it has one."""
    source = task.block.source
    if source is None:
        if (task.directory / "checkpoints" / DAMAGED).exists():
            task.say("no undamaged checkpoint remains: starting again")
        return 0, task.sweep.init(task.plan.data)
    task.say(f"resuming from checkpoint {source.path}")
    old, new = read_metadata(source)["versions"], task.metadata["versions"]
    changed = [f"{name} {old.get(name)}" for name in new if old.get(name) != new[name]]
    if changed:
        task.say(f"it was made with {', '.join(changed)}: results may differ by rounding")
    return source.step, load_checkpoint(source, task.block.lanes, task.sweep.shapes)


def _train(task: BlockTask, step: int, state: LaneState) -> LaneState:
    """Trains a block to its last step: from states on the host to states on the devices."""
    plan, lanes = task.plan, task.block.lanes
    data, state = shard_lanes(task.mesh, (plan.data, state))
    if is_first():
        history.drop_after(task.directory, lanes, step)
    report = _progress(task).training
    report(step, np.zeros(0))
    with _saver(task) as save:
        saved_at = time.monotonic()
        while step < plan.steps:
            chunk = next_chunk(plan, step)
            state, advance = task.sweep.train(data, state, step, chunk)
            step += chunk
            if step == plan.cycle_steps < plan.steps:
                state = task.sweep.restart(data, state)
            advance = jax.tree.map(lambda leaf: leaf[: len(lanes)], gather(advance))
            if is_first():
                _add_history(task, step, advance)
            report(step, advance.metrics.loss)
            overdue = time.monotonic() - saved_at > 60 * plan.save_minutes
            due = overdue or step % plan.save_every < chunk or step == plan.steps
            due, stop = any_process([due, task.stopping()])
            if due or stop:
                save(step, gather(state))
                saved_at = time.monotonic()
            if stop and step < plan.steps:
                raise Stopped(f"{step} of {plan.steps} steps")
    return state


def next_chunk(plan: Plan, step: int) -> int:
    """Returns the number of steps to the next point of the history, or the end of a cycle."""
    ends = plan.cycle_steps, plan.steps, step + plan.log_every - step % plan.log_every
    return min(end for end in ends if end > step) - step


def _score(task: BlockTask, state: LaneState) -> list[Scores]:
    """The scores of every lane of a block, on the host."""
    count, devices = len(task.block.lanes), task.mesh.shape[LANES]
    data = shard_lanes(task.mesh, task.plan.data)
    per_device = -(-count // devices)
    together = scored_together(task.mesh, count)
    scores: list[Scores] = [None] * (per_device * devices)
    report = _progress(task).scoring
    report(0)
    for begin in range(0, per_device, together):
        rows = np.minimum(np.arange(begin, begin + together, dtype=np.int32), per_device - 1)
        stacked = gather(task.sweep.score(data, state, rows))
        for index, row in enumerate(np.add.outer(per_device * np.arange(devices), rows).flat):
            scores[row] = jax.tree.map(lambda leaf, index=index: leaf[index], stacked)
        done = min((begin + together) * devices, count)
        report(done)
        (stop,) = any_process([task.stopping()])
        if stop and done < count:
            raise Stopped(f"all steps, before the scores of {count} lanes were complete")
    return scores[:count]


@contextmanager
def _saver(task: BlockTask) -> Iterator[Callable[[int, LaneState], None]]:
    """Yields save(step, state), which writes while training goes on; waits for it at the end.

    Every process takes part, the first one writes. A full disk costs a checkpoint, not the run,
    unless it is the last one: then OSError.
    """
    checkpoints = open_checkpoints(task.directory, task.block.lanes)

    def save(step, state):
        copies = jax.tree.map(np.array, state)  # training goes on in the buffers
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(copies))
        free = shutil.disk_usage(task.directory).free
        if free < needed + SPARE_BYTES:
            message = f"no room for the checkpoint of step {step}: {needed:,} bytes, {free:,} free"
            if step == task.plan.steps:
                raise OSError(f"{message}; make room and give the same command again")
            task.say(f"{message}; older ones stay")
            return
        try:
            metadata = saved_metadata(task.metadata, copies)
            checkpoints.save_async(step, copies, force=True, custom_metadata=metadata)
        except SAVE_ERRORS as error:  # of the save before this one
            task.say(f"a checkpoint could not be saved, older ones stay: {first_line(error)}")

    try:
        yield save
    finally:
        try:
            checkpoints.close()
        except SAVE_ERRORS as error:
            message = f"the last checkpoint could not be saved: {first_line(error)}"
            raise OSError(f"{message}; give the same command again") from None


def _add_history(task: BlockTask, step: int, advance: Advance) -> None:
    """Adds rows to the history; a full disk costs these rows, not the run."""
    lanes = dict(zip(task.block.lanes, task.plan.lanes, strict=True))
    try:
        monitor_row = task.plan.domain.monitor_row
        rows = history.append(task.directory, lanes, step, advance=advance, monitor_row=monitor_row)
    except OSError as error:
        task.say(f"history.csv has nothing of step {step}: {error.strerror}")
        return
    task.log(rows)


def _progress(task: BlockTask) -> BlockProgress:
    directory = task.directory if is_first() else None
    return block_progress(task.block.lanes, task.full_plan.lane_steps, directory, task.show)
