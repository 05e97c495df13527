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
    """Drops the rows of steps that are going to be done again."""
    if _path(directory).exists():
        rows = read(directory)
        write_whole(_path(directory), rows[rows.step <= step].to_csv(index=False))


def read(directory: Path) -> pd.DataFrame:
    """The history of a run directory; no rows if there is none yet."""
    if not _path(directory).exists():
        return pd.DataFrame({"step": []})
    return pd.read_csv(_path(directory), keep_default_na=False)


def _path(directory: Path) -> Path:
    return directory / "history.csv"


def _row(metrics, place):
    return {name: float(values[place]) for name, values in metrics._asdict().items()}
