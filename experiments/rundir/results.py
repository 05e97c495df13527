"""Results: `results.csv`, a tidy table with one row per score."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from experiments.rundir.checkpoint_files import DIVERGED
from experiments.rundir.csv_tables import read_table, with_words
from experiments.rundir.lane_identity import REVERSE, Lane, lane_columns, unbiased_names
from experiments.rundir.older_versions import ADDED_METRICS
from experiments.runtime.text_lines import complete_lines
from lvm.files.atomic import write_atomically

MODALITIES = {"x": "image", "t": "text"}
HEAD = "head"  # the probe of a downstream outcome
ZERO_SHOT = "zero_shot"  # the probe that is the nearest caption
COLUMN_COUNT = "columns"  # target of the number of columns
NO_PROBE = "none"  # of a score that fits no probe
CLOSED_FORM, MONTE_CARLO, BOOSTING, BY_PROBE = "closed form", "Monte Carlo", "boosting", "probe"
PAIR = "pair"  # target of scores of both representations of a pair
NOT_SEMANTICS = (  # targets
    *("m_x", "m_t", "alpha", "beta", "gamma", "phrasing"),
    *(COLUMN_COUNT, PAIR, REVERSE),
)
DIGITS = "%.7g"  # of numbers, as many as float32 has
LANE_WORDS = tuple(field.name for field in fields(Lane) if field.type is str)
COLUMNS = (
    "lane",
    *(field.name for field in fields(Lane)),
    *("modality", "probe", "target", "metric", "environment", "value", "attainable"),
    *("attainable_by", "status"),
)


def results_table(
    lanes: Mapping[int, Lane],
    scores: Sequence[Any],
    statuses: Sequence[str],
    score_rows: Callable[[Lane, Any], Iterator[dict[str, Any]]],
) -> pd.DataFrame:
    """Returns the rows of `results.csv` for lanes by number, one row per score.

    scores, statuses: of each lane; the latter as from `lane_statuses`.
    score_rows: returns the rows of one lane, as `Domain.score_rows`.

    Scores of a lane that diverged are NaN.
    """
    table = pd.DataFrame(
        {**lane_columns(number, lane), **row, "status": status}
        for (number, lane), lane_scores, status in zip(lanes.items(), scores, statuses, strict=True)
        for row in score_rows(lane, lane_scores)
    )
    return table.assign(value=table.value.mask(table.status.str.startswith(DIVERGED)))


def add_results(path: Path, rows: pd.DataFrame) -> None:
    """Adds rows to `results.csv` atomically; they replace older rows of the same lanes."""
    lines = complete_lines(path) if path.exists() else []
    new = set(map(str, rows.lane))
    kept = lines[:1] + [line for line in lines[1:] if line.split(",", 1)[0] not in new]
    text = with_words(rows).to_csv(index=False, header=not lines, float_format=DIGITS)
    write_atomically(path, "".join(kept) + text)


def scored_lanes(
    path: Path, scores_per_lane: int | None = None, lane_steps: Sequence[int] | None = None
) -> list[int]:
    """Returns the numbers of the lanes in `results.csv`, none if there is no such file.

    lane_steps: the number of steps of each lane; scores after fewer steps do not count.
    """
    if not path.exists():
        return []
    results = read_results(path, scores_per_lane).drop_duplicates("lane")
    scored = zip(results.lane, results.steps, strict=True)
    return sorted(
        number for number, steps in scored if lane_steps is None or steps >= lane_steps[number]
    )


def read_results(
    path: Path,
    scores_per_lane: int | None = None,
    warn: Callable[[str], object] = lambda message: None,
) -> pd.DataFrame:
    """Returns the rows of complete lanes in `results.csv`; empty scores are NaN.

    A complete lane has `scores_per_lane` rows (see `Domain`), or by default as many as the longest
    one. `warn` is called with a message if lanes are left out, as for a truncated file. Raises
    ValueError for a file that lacks a column.
    """
    results = read_table(path, empty=("value", "attainable"))
    if results.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    missing = [name for name in COLUMNS if name not in results]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]!r}: another version wrote it; report it with that "
            "version, or run its config again in a new --workdir"
        )
    counts = results[~results.metric.isin(ADDED_METRICS)].groupby("lane").size()
    incomplete = counts.index[counts < (scores_per_lane or counts.max())]
    if len(incomplete):
        warn(f"{path} is incomplete: lane {', '.join(map(str, incomplete))} left out")
    return results[~results.lane.isin(incomplete)]


def read_scores(directory: Path, scores_per_lane: int) -> pd.DataFrame:
    """Returns the rows of complete lanes of a run; raises ValueError if it has no scores yet."""
    path = directory / "results.csv"
    if not path.exists():
        raise ValueError(f"{directory} has no scores yet: let its run end")
    return read_results(path, scores_per_lane)


def columns_row(lane: Lane, columns: int) -> dict[str, Any]:
    """Returns the score that compares the number of columns with that of unbiased semantics."""
    truth = len(unbiased_names(lane.selected, lane.perturbable))
    return score_row(
        "x",
        NO_PROBE,
        COLUMN_COUNT,
        "count",
        value=columns,
        attainable=truth,
        attainable_by=CLOSED_FORM,
    )


def score_row(
    modality: str,
    probe: str,
    target: str,
    metric: str,
    *,
    value: float,
    attainable: float,
    attainable_by: str = BY_PROBE,
    environment: str = "same",
) -> dict[str, Any]:
    """Returns the columns of a score, which follow those of its lane.

    attainable_by: how the attainable score was computed. "closed form" is exact; "Monte Carlo"
                   converges to it; "boosting" and "probe" (default; the measuring probe itself,
                   on the unbiased latents) are lower bounds. The column contains "none" if there
                   is no attainable score.
    """
    return {
        "modality": modality,
        "probe": probe,
        "target": target,
        "metric": metric,
        "environment": environment,
        "value": float(value),
        "attainable": float(attainable),
        "attainable_by": "none" if np.isnan(attainable) else attainable_by,
    }
