"""Work: what is done with one block of lanes: trained, saved on the way, and scored."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
from jax.sharding import Mesh

from experiments.rundir import history
from experiments.rundir.checkpoint_files import first_line, read_about
from experiments.rundir.checkpoints import DAMAGED, load, open_checkpoints
from experiments.rundir.results import add_results, results_table
from experiments.runtime.devices import LANES, is_cpu, on_devices, on_host
from experiments.runtime.processes import any_process, is_first
from experiments.runtime.progress import Show
from experiments.runtime.signals import Stopped
from experiments.sweep.blocks import Block
from experiments.sweep.compiled import Advance, Sweep
from experiments.sweep.lane import LaneState
from experiments.sweep.plan import Plan

SAVE_ERRORS = (OSError, RuntimeError, ValueError)
SPARE = 1 << 20  # bytes of a disk that are left free
SCORED_TOGETHER = 16  # lanes that a device scores at once, if it is no CPU


class Task(NamedTuple):
    """A block of lanes with all that working on it takes.

    plan: of these lanes alone; whole: the plan that they are a part of; about: what checkpoints say
    of their origin; stopping: whether a stop is requested; show: the progress; say: prints a line.
    """

    block: Block
    plan: Plan
    whole: Plan
    sweep: Sweep
    mesh: Mesh
    directory: Path
    about: dict[str, Any]
    stopping: Callable[[], bool]
    show: Show
    say: Callable[[str], None]


def finish(task: Task) -> None:
    """Trains and scores a block and adds its results to `results.csv`."""
    state = train(task, *start(task))
    scores = score(task, state)
    failed_at = on_host(state.train.failed_at).tolist()[: len(scores)]
    if is_first():
        make_rows = task.plan.domain.rows
        rows = results_table(task.block.lanes, task.plan.lanes, scores, failed_at, make_rows)
        add_results(task.directory / "results.csv", rows)


def start(task: Task) -> tuple[int, LaneState]:
    """Steps done and the states, on the host, from the block's checkpoint if it has one."""
    source = task.block.source
    if source is None:
        if (task.directory / "checkpoints" / DAMAGED).exists():
            task.say("no whole checkpoint is left: starting again")
        return 0, task.sweep.init(task.plan.data)
    task.say(f"going on from checkpoint {source.path}")
    there, here = read_about(source)["versions"], task.about["versions"]
    others = [f"{name} {there.get(name)}" for name in here if there.get(name) != here[name]]
    if others:
        task.say(f"it was made with {', '.join(others)}: results may differ by rounding")
    return source.step, load(source, task.block.lanes, task.sweep.shapes)


def train(task: Task, step: int, state: LaneState) -> LaneState:
    """Trains a block to the end: from states on the host to states on the devices."""
    plan, lanes = task.plan, task.block.lanes
    data, state = on_devices(task.mesh, (plan.data, state))
    if is_first():
        history.forget_after(task.directory, lanes, step)
    _show(task, "training", step / plan.steps, "")
    with _saver(task) as save:
        saved_at = time.monotonic()
        while step < plan.steps:
            chunk = min(plan.log_every - step % plan.log_every, plan.steps - step)
            state, advance = task.sweep.train(data, state, step, chunk)
            step += chunk
            advance = jax.tree.map(lambda leaf: leaf[: len(lanes)], on_host(advance))
            if is_first():
                _remember(task, step, advance)
            note = f"step {step}, loss {_mean(advance.metrics.loss):.3f}"
            _show(task, "training", step / plan.steps, note)
            waited = time.monotonic() - saved_at > 60 * plan.save_minutes
            due = waited or step % plan.save_every < chunk or step == plan.steps
            due, stop = any_process([due, task.stopping()])
            if due or stop:
                save(step, on_host(state))
                saved_at = time.monotonic()
            if stop and step < plan.steps:
                raise Stopped(f"{step} of {plan.steps} steps")
    return state


def score(task: Task, state: LaneState) -> list[Any]:
    """The scores of every lane of a block, on the host."""
    count, devices = len(task.block.lanes), task.mesh.shape[LANES]
    data = on_devices(task.mesh, task.plan.data)
    own = -(-count // devices)  # lanes that lie on each device
    together = 1 if is_cpu(task.mesh) else min(own, SCORED_TOGETHER)
    scores: list[Any] = [None] * (own * devices)
    _show(task, "scoring", 0.0, "")
    for begin in range(0, own, together):
        rows = np.minimum(np.arange(begin, begin + together, dtype=np.int32), own - 1)
        turn = on_host(task.sweep.score(data, state, rows))
        for place, row in enumerate(np.add.outer(own * np.arange(devices), rows).flat):
            scores[row] = jax.tree.map(lambda leaf, place=place: leaf[place], turn)
        done = min((begin + together) * devices, count)
        _show(task, "scoring", done / count, "")
        (stop,) = any_process([task.stopping()])
        if stop and done < count:
            raise Stopped(f"all steps, before the scores of {count} lanes were complete")
    return scores[:count]


@contextmanager
def _saver(task: Task) -> Iterator[Callable[[int, LaneState], None]]:
    """Yields save(step, state), which writes while training goes on; waits for it at the end.

    Every process takes part, the first one writes. A full disk costs a checkpoint, not the run,
    unless it is the last one: then OSError.
    """
    checkpoints = open_checkpoints(task.directory, task.block.lanes)

    def save(step, state):
        copies = jax.tree.map(np.array, state)  # training goes on in the buffers
        needed = sum(leaf.nbytes for leaf in jax.tree.leaves(copies))
        free = shutil.disk_usage(task.directory).free
        if free < needed + SPARE:
            told = f"no room for the checkpoint of step {step}: {needed:,} bytes, {free:,} free"
            if step == task.plan.steps:
                raise OSError(f"{told}; make room and give the same command again")
            task.say(f"{told}; older ones stay")
            return
        try:
            checkpoints.save_async(step, copies, force=True, custom_metadata=task.about)
        except SAVE_ERRORS as error:  # of the save before this one
            task.say(f"a checkpoint could not be saved, older ones stay: {first_line(error)}")

    try:
        yield save
    finally:
        try:
            checkpoints.close()
        except SAVE_ERRORS as error:
            told = f"the last checkpoint could not be saved: {first_line(error)}"
            raise OSError(f"{told}; give the same command again") from None


def _remember(task: Task, step: int, advance: Advance) -> None:
    """Adds to the history; a full disk costs these rows, not the run."""
    try:
        glance_row = task.plan.domain.glance_row
        history.append(task.directory, task.block.lanes, task.plan.lanes, step, advance, glance_row)
    except OSError as error:
        task.say(f"history.csv has nothing of step {step}: {error.strerror}")


def _show(task: Task, what: str, share: float, note: str) -> None:
    """Shows how much of the whole plan is done when this share of the block is."""
    lanes, lengths = task.block.lanes, task.whole.lengths
    of = "" if len(lanes) == len(lengths) else f"lanes {lanes[0]}-{lanes[-1]} of {len(lengths)}"
    done = sum(lengths[: lanes[0]]) + share * sum(task.plan.lengths)
    task.show(what, done / sum(lengths), " ".join(filter(None, [note, of])))


def _mean(losses: np.ndarray) -> float:
    """The mean loss of the lanes that are healthy."""
    return float(np.nanmean(losses)) if np.isfinite(losses).any() else float("nan")
