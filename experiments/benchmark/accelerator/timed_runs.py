"""Timed runs: `misalign run` in another process, observed from its files until a deadline."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from experiments.rundir import history

COMMAND = sys.executable, "-m", "experiments.run"
POLL = 1.0  # seconds between two looks at the files of a run
SAVING = 10.0  # seconds that a stopped run has to save its lanes


class RunProgress(NamedTuple):
    """The progress of a run.

    seconds:    since its process began.
    lane_steps: steps of all lanes together in `history.csv`.
    trained:    seconds after which they were last seen to grow.
    finished:   whether the run has ended by itself.
    """

    seconds: float
    lane_steps: int
    trained: float
    finished: bool


def timed_run(
    arguments: Sequence[str],
    directory: Path,
    deadline: float,
    report: Callable[[RunProgress], None],
) -> RunProgress:
    """Runs `misalign run` with arguments in a directory, until it ends or until the deadline.

    The seconds are those of a user: start of the process, compilation, training and scores.

    deadline: as `time.time` counts; the process is then stopped as by a user.
    report:   called with the progress after each POLL seconds and at the end.

    Raises RuntimeError with the last line of the output if the run fails.
    """
    command = [*COMMAND, *arguments, f"--workdir={directory}"]
    log = directory.with_suffix(".log")
    start, steps, trained = time.monotonic(), 0, 0.0
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        while True:
            status = _wait(process, min(POLL, max(0.0, deadline - time.time())))
            seconds = time.monotonic() - start
            if (now := _lane_steps(directory)) > steps:
                steps, trained = now, seconds
            progress = RunProgress(seconds, steps, trained, status == 0)
            report(progress)
            if status is not None or time.time() >= deadline:
                break
    finally:
        _stop(process)
    if status:
        lines = log.read_text().strip().splitlines() or [f"exit status {status}"]
        raise RuntimeError(f"misalign run {arguments[0]}: {lines[-1]}")
    return progress


def _wait(process: subprocess.Popen, seconds: float) -> int | None:
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _stop(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        if _wait(process, SAVING) is None:
            process.kill()
            process.wait()


def _lane_steps(directory: Path) -> int:
    rows = history.read(directory)
    return 0 if rows.empty else int(rows.groupby("lane").step.max().sum())
