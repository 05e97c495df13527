"""History: the loss of every lane over training, in `history.csv`."""

from pathlib import Path

import pandas as pd

import mmcl
from experiments.plan import Plan
from experiments.rundir import write_whole
from experiments.tables import lane_columns


def append(directory: Path, plan: Plan, step: int, metrics: mmcl.Metrics) -> None:
    """Adds a row a lane: its metrics, float32 [lanes], averaged over the steps up to `step`."""
    rows = pd.DataFrame(
        {"step": step, **lane_columns(place, lane), **_row(metrics, place)}
        for place, lane in enumerate(plan.lanes)
    )
    path = _path(directory)
    rows.to_csv(path, mode="a", header=not path.exists(), index=False)


def forget_after(directory: Path, step: int) -> None:
    """Drops the rows of steps that are going to be done again, and a line torn by a kill."""
    if _path(directory).exists():
        header, *rows = _path(directory).read_text().splitlines(keepends=True) or [""]
        kept = [row for row in rows if row.endswith("\n") and int(row.split(",", 1)[0]) <= step]
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
