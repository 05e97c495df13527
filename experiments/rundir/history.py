"""History: loss and scores of every lane over training, in `history.csv`.

Columns `x_s1`, ..., `t_m_t`: R² of a latent by ridge regression from images (x) and texts (t), on
few pairs, as far as training has come.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import pandas as pd

from experiments.rundir.results import complete_lines, lane_columns
from experiments.sweep.compiled import Advance
from experiments.sweep.settings import Lane
from lvm.files.atomic import write_atomically


def append(
    directory: Path,
    numbers: range,
    lanes: Sequence[Lane],
    step: int,
    advance: Advance,
    glance_row: Callable[[Any], dict[str, float]],
) -> None:
    """Adds a row a lane: metrics averaged over the steps up to `step`, scores after it.

    `glance_row` makes the columns of a glance (see `Domain`). All rows or none: raises OSError if
    they cannot be written.
    """
    rows = pd.DataFrame(
        {"step": step, **lane_columns(number, lane), **_row(advance, place, glance_row)}
        for place, (number, lane) in enumerate(zip(numbers, lanes, strict=True))
    )
    path = _path(directory)
    size = path.stat().st_size if path.exists() else 0
    try:
        rows.to_csv(path, mode="a", header=size == 0, index=False)
    except OSError:
        os.truncate(path, size)  # nothing of a line that is not whole
        raise


def forget_after(directory: Path, numbers: range, step: int) -> None:
    """Drops what these lanes are going to do again, and a line torn by a kill."""
    if _path(directory).exists():
        header, *rows = complete_lines(_path(directory)) or [""]

        def stays(row):
            done, lane = map(int, row.split(",", 2)[:2])
            return lane not in numbers or done <= step

        kept = [row for row in rows if stays(row)]
        write_atomically(_path(directory), header + "".join(kept))


def read(directory: Path) -> pd.DataFrame:
    """`history.csv` as far as it is written."""
    text = "".join(complete_lines(_path(directory)))
    numbers = set(text.partition("\n")[0].split(",")) - {"setting", "selected", "perturbable"}
    missing = {name: [""] for name in numbers}
    return pd.read_csv(io.StringIO(text), keep_default_na=False, na_values=missing)


def how_far(directory: Path, lengths: Mapping[int, int]) -> str:
    """How far the lanes are that train now, in words; "" if none of these has begun.

    `lengths` are steps by the number of the lane.
    """
    if not _path(directory).exists():
        return ""
    rows = read(directory)
    rows = rows[rows.lane.isin(lengths)]
    if rows.empty:
        return ""
    length = rows.lane.map(lengths)
    rows = rows[length == length.iloc[-1]]  # those of other lengths train at another time
    first, last, step = rows.lane.min(), rows.lane.max(), rows.step.max()
    return f"; lanes {first}-{last} are at step {step} of {lengths[first]}"


def _path(directory: Path) -> Path:
    return directory / "history.csv"


def _row(advance, place, glance_row):
    metrics, glance = jax.tree.map(lambda leaf: leaf[place], advance)
    scores = {name: round(value, 4) for name, value in glance_row(glance).items()}
    return {name: float(value) for name, value in metrics._asdict().items()} | scores
