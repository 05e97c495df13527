"""Studies on a device: the numerical section in full, and its scores in three precisions."""

import tempfile
from pathlib import Path

from experiments.benchmark.accelerator.part_task import NO_TIME, PartTask, seconds_left, verdict
from experiments.benchmark.accelerator.timed_runs import SAVING, RunProgress, timed_run
from experiments.compare import compare
from experiments.report.tables import distance_from_theory
from experiments.rundir.results import read_results
from mmcl.precision import PRECISIONS

TARGET = 60.0  # seconds of the numerical section, with compilation
KEPT, LEAKED = "least kept", "most leaked"


def numerical_section(task: PartTask) -> None:
    """Records seconds and scores of the paper's numerical section, run as by a user."""

    def report(progress: RunProgress):
        columns = verdict(progress.seconds, TARGET, met=progress.seconds <= TARGET)
        if not progress.finished:
            columns = {"value": progress.seconds, "target": TARGET, "verdict": "not finished"}
        rest = {"lane_steps": progress.lane_steps, "trained_s": progress.trained}
        task.record("seconds with compilation and scores", **columns, **rest)

    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder, "numeric")
        progress = timed_run(task.sizes.numeric, directory, task.deadline - SAVING, report)
        if not progress.finished:
            return
        rows = read_results(directory / "results.csv")
        for (probe, law, *_), scores in distance_from_theory(rows).iterrows():
            columns = {"lanes": rows.lane.nunique(), KEPT: scores[KEPT], LEAKED: scores[LEAKED]}
            task.record(f"single lanes, {probe}, {law}", **columns)


def precision_table(task: PartTask) -> None:
    """Records least kept and most leaked score by setting and precision, and seconds of each run.

    The precisions take turns of equal length in the time that is left.
    """
    with tempfile.TemporaryDirectory() as folder:
        finished = []
        for number, precision in enumerate(PRECISIONS):
            directory = Path(folder, precision)
            share = seconds_left(task) / (len(PRECISIONS) - number)
            deadline = task.deadline - seconds_left(task) + share - SAVING / len(PRECISIONS)
            arguments = (*task.sizes.precision, f"--config.recipe.precision={precision}")
            progress = timed_run(arguments, directory, deadline, lambda progress: None)
            if not progress.finished:
                steps = {"lane_steps": progress.lane_steps, "note": NO_TIME}
                task.record(precision, seconds=progress.seconds, **steps)
                continue
            finished.append(directory)
            task.record(precision, seconds=progress.seconds, lane_steps=progress.lane_steps)
            _record_scores(task, finished)


def _record_scores(task: PartTask, directories: list[Path]) -> None:
    """Records the scores of every setting, with one pair of columns per precision."""
    table = compare(directories)
    for label, rows in table.groupby("label", sort=False):
        by_precision = rows.set_index("run")
        columns = {
            f"{name}, {run}": by_precision[name][run]
            for run in by_precision.index
            for name in (KEPT, LEAKED)
        }
        task.record(label, **columns)
