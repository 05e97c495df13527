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


def how_far(directory: Path, numbers: set[int], steps: int) -> str:
    """How far the lanes are that train now, in words; "" if none of these has begun."""
    if not _path(directory).exists():
        return ""
    rows = pd.read_csv(_path(directory), usecols=["step", "lane"])
    rows = rows[rows.lane.isin(numbers)]
    if rows.empty:
        return ""
    return f"; lanes {rows.lane.min()}-{rows.lane.max()} are at step {rows.step.max()} of {steps}"


def _path(directory: Path) -> Path:
    return directory / "history.csv"


def _row(metrics, place):
    return {name: float(values[place]) for name, values in metrics._asdict().items()}
