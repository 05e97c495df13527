"""History: the loss of every lane over training, in `history.csv`."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import mmcl
from experiments.plan import Lane
from experiments.rundir import write_whole
from experiments.tables import lane_columns


def append(
    directory: Path, numbers: range, lanes: Sequence[Lane], step: int, metrics: mmcl.Metrics
) -> None:
    """Adds a row a lane: its metrics, float32 [lanes], averaged over the steps up to `step`."""
    rows = pd.DataFrame(
        {"step": step, **lane_columns(number, lane), **_row(metrics, place)}
        for place, (number, lane) in enumerate(zip(numbers, lanes, strict=True))
    )
    path = _path(directory)
    rows.to_csv(path, mode="a", header=not path.exists(), index=False)


def forget_after(directory: Path, numbers: range, step: int) -> None:
    """Drops what these lanes are going to do again, and a line torn by a kill."""
    if _path(directory).exists():
        header, *rows = _path(directory).read_text().splitlines(keepends=True) or [""]

        def stays(row):
            done, lane = map(int, row.split(",", 2)[:2])
            return lane not in numbers or done <= step

        kept = [row for row in rows if row.endswith("\n") and stays(row)]
        write_whole(_path(directory), header + "".join(kept))


def steps_done(directory: Path) -> int:
    """The last step in the history of a run directory, 0 if there is none yet."""
    if not _path(directory).exists():
        return 0
    steps = pd.read_csv(_path(directory), usecols=["step"]).step
    return int(steps.max()) if len(steps) else 0


def _path(directory: Path) -> Path:
    return directory / "history.csv"


def _row(metrics, place):
    return {name: float(values[place]) for name, values in metrics._asdict().items()}
