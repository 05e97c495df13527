"""Reference comparison: this project and the authors' code, per step and per trained model."""

import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from experiments.benchmark.measurement.cases import (
    Case,
    Ceilings,
    Row,
    first_state,
    make_row,
    prepare_sweep,
    unit_times,
)
from experiments.benchmark.measurement.timing import Program, measure
from experiments.benchmark.peer_comparison import torch_device
from experiments.benchmark.reference.reference_training import (
    ReferenceTraining,
    reference_training,
)
from experiments.benchmark.sizes import Sizes
from experiments.benchmark.steps import numeric_config
from experiments.sweep.plan import make_plan
from experiments.time_to_identify import IDENTIFIED, identify

PART = "reference"
LOGS = 2  # lines that are logged
THEIRS = "reference code"
TRAINED = f"trained to R² {IDENTIFIED}"


class Trained(NamedTuple):
    """The training of a model until it has the score, or until the time is over.

    seconds: per model, of training only; steps: of the slowest one; reached: whether it has it.
    score:   lowest R² in the end.
    """

    seconds: float
    steps: int
    reached: bool
    score: float


def compare_with_reference(
    folder: Path, sizes: Sizes, ceilings: dict[int, Ceilings], log: Callable[[str], None]
) -> Iterator[list[Row]]:
    """Yields rows of steps by the paper's protocol, then rows of models trained to the same score.

    A model has the score if a linear probe reaches R² IDENTIFIED for every unbiased semantic, from
    images and texts. The reference code is trained for at most `sizes.max_seconds`; if it has not
    reached the score then, the ratio is a lower bound.

    log: called with a line of text after both.

    Raises ValueError if the reference code fails.
    """
    device, obstacle = torch_device()
    if obstacle:
        yield [{"part": PART, "variant": THEIRS, "note": obstacle}]
        return
    config = numeric_config(
        jax.device_count(), "paper", batch=sizes.peer_batch, group=sizes.peer_batch
    )
    bias = jax.tree.map(lambda leaf: np.asarray(leaf[0]), make_plan(config).data.bias)
    start = partial(reference_training, folder, bias, batch=sizes.peer_batch, device=device)
    with start() as theirs:
        rows = _step_rows(config, theirs, sizes, ceilings)
    yield rows
    log(f"{PART}: step")
    with start() as theirs:  # anew, since the steps above have trained it
        by_reference = train_reference(theirs, sizes.max_seconds)
    yield _trained_rows(by_reference, _train_fast(sizes), sizes)
    log(f"{PART}: {TRAINED}")


def _step_rows(config, theirs: ReferenceTraining, sizes: Sizes, ceilings) -> list[Row]:
    """Returns rows of a step by both, timed in turns, and of their ratio."""
    plan = make_plan(config)
    prepared = prepare_sweep(plan, tuple, cache(partial(first_state, plan, tuple)), 1)
    programs = {"": prepared.program, THEIRS: Program(lambda _: theirs.train(1))}
    seconds = measure(programs, sizes.repeats, sizes.repeat_seconds)
    batch = plan.recipe.batch
    case = Case("paper, adam, ours", batch, len(plan.lanes), lambda: prepared)
    row = make_row(PART, case, prepared, seconds=seconds[""], ceilings=ceilings)
    key = {"part": PART, "size": batch, "lanes": 1, "devices": 1}
    their_row = {**key, "variant": f"{THEIRS}, step"} | unit_times(seconds[THEIRS], 1)
    ratio = their_row["time_ms"] / row["time_ms"]
    return [row, their_row, {**key, "variant": "times as fast, per step", "value": ratio}]


def train_reference(theirs: ReferenceTraining, limit: float) -> Trained:
    """Trains the reference code until it has the score, for at most `limit` seconds.

    The score is computed whenever the number of steps has grown by a tenth.
    """
    steps, seconds, score = 0, 0.0, -np.inf
    while score < IDENTIFIED and seconds < limit:
        count = max(1, steps // 10)
        start = time.perf_counter()
        theirs.train(count)
        seconds += time.perf_counter() - start
        steps += count
        score = theirs.score()
    return Trained(seconds, steps, score >= IDENTIFIED, score)


def _train_fast(sizes: Sizes) -> Trained:
    """Trains the lanes of `fast` until all of them have the score."""
    config = numeric_config(sizes.peer_lanes, "fast")
    config.log_every = max(1, config.log_every // 2)
    found = identify(make_plan(config), lambda activity, fraction, note: None)
    reached = all(entry.steps is not None for entry in found)
    steps = max((entry.steps or 0) for entry in found)
    seconds = max((entry.seconds or 0.0) for entry in found) / len(found)
    return Trained(seconds, steps, reached, np.nan)


def _trained_rows(theirs: Trained, ours: Trained, sizes: Sizes) -> list[Row]:
    """Returns rows with seconds per model, and their ratio."""
    row = lambda variant, **columns: {"part": PART, "variant": variant, **columns}
    note = f"{theirs.steps} steps"
    if not theirs.reached:
        note += f": not reached, R² {theirs.score:.3g}"
    rows = [
        row(f"{THEIRS}, {TRAINED}, s", lanes=1, size=sizes.peer_batch, value=theirs.seconds),
        row(f"fast, soap, ours, {TRAINED}, s", lanes=sizes.peer_lanes, value=ours.seconds),
    ]
    rows[0]["note"] = note
    rows[1]["note"] = f"{ours.steps} steps" if ours.reached else "not reached by every lane"
    if ours.reached:
        bound = "" if theirs.reached else "at least: the reference code has not reached the score"
        ratio = theirs.seconds / ours.seconds
        rows.append(row("times as fast, per model of the same score", value=ratio, note=bound))
    return rows
