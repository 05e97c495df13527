"""History: `history.csv`, loss and monitor scores of every lane during training.

Columns `x_TARGET` and `t_TARGET`: monitor scores from images (x) and texts (t) by linear probes on
few pairs, R² for values and Matthews correlation for labels.
"""

import csv
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import pandas as pd

from experiments.rundir.csv_tables import read_table, with_words
from experiments.rundir.lane_identity import Lane, lane_columns
from experiments.rundir.results import LANE_WORDS
from experiments.runtime.text_lines import complete_lines
from lvm.files.atomic import write_atomically


def append(
    directory: Path,
    lanes: Mapping[int, Lane],
    step: int,
    *,
    advance: Any,
    monitor_row: Callable[[Any], dict[str, float]],
) -> list[dict[str, Any]]:
    """Adds one row per lane: metrics averaged over the steps up to `step`, and scores after it.

    Returns the rows.

    lanes:       by number.
    advance:     metrics and monitor scores with leaves [lanes, ...], as the sweep returns them.
    monitor_row: returns the columns of monitor scores, as `Domain.monitor_row`.

    Adds all rows or none: raises OSError if they cannot be written.
    """
    rows = [
        {"step": step, **lane_columns(number, lane), **_scores(advance, index, monitor_row)}
        for index, (number, lane) in enumerate(lanes.items())
    ]
    path = _path(directory)
    size = path.stat().st_size if path.exists() else 0
    try:
        table = with_words(pd.DataFrame(rows))
        table.to_csv(path, mode="a", header=size == 0, index=False)
    except OSError:
        os.truncate(path, size)  # removes an incomplete line
        raise
    return rows


def drop_after(directory: Path, numbers: range, step: int) -> None:
    """Drops the rows of lanes after a step, and a line that was cut off."""
    if _path(directory).exists():
        header, *rows = complete_lines(_path(directory)) or [""]

        def stays(row):
            row_step, lane = map(int, row.split(",", 2)[:2])
            return lane not in numbers or row_step <= step

        write_atomically(_path(directory), header + "".join(filter(stays, rows)))


def set_steps(directory: Path, lane_steps: Sequence[int]) -> None:
    """Sets the column `steps` of lanes, by number, whose training was prolonged."""
    path = _path(directory)
    if not path.exists():
        return
    rows = list(csv.DictReader(complete_lines(path)))
    updated = [row | {"steps": str(lane_steps[int(row["lane"])])} for row in rows]
    if updated != rows:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(updated)
        write_atomically(path, text.getvalue())


def read(directory: Path) -> pd.DataFrame:
    """Returns the complete rows of `history.csv`; none if it is missing or empty."""
    path = _path(directory)
    if not path.exists() or not complete_lines(path):
        return pd.DataFrame(columns=["lane", "step", "loss"])
    names = "".join(complete_lines(path)[:1]).rstrip("\n").split(",")
    return read_table(path, empty=set(names) - set(LANE_WORDS))


def progress_note(directory: Path, lane_steps: Mapping[int, int]) -> str:
    """Returns a note on the step of the lanes that train now; "" if none of them has begun.

    `lane_steps` are the steps of lanes by number.
    """
    if not _path(directory).exists():
        return ""
    rows = read(directory)
    rows = rows if rows.empty else rows[rows.lane.isin(lane_steps)]
    if rows.empty:
        return ""
    steps = rows.lane.map(lane_steps)
    rows = rows[steps == steps.iloc[-1]]  # those with other steps train at another time
    first, last, step = rows.lane.min(), rows.lane.max(), rows.step.max()
    return f"; lanes {first}-{last} are at step {step} of {lane_steps[first]}"


def _path(directory: Path) -> Path:
    return directory / "history.csv"


def _scores(advance: Any, index: int, monitor_row) -> dict[str, float]:
    metrics, monitor = jax.tree.map(lambda leaf: leaf[index], advance)
    scores = {name: round(value, 4) for name, value in monitor_row(monitor).items()}
    return {name: float(value) for name, value in metrics._asdict().items()} | scores
