"""Results: `results.csv`, a tidy row a score; how it is made, written and read."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.rundir.checkpoint_files import status_of
from experiments.sweep.settings import Lane
from lvm.files.atomic import write_atomically

MODALITIES = {"x": "image", "t": "text"}
REVERSE = "rep"  # target of the reverse direction, unbiased latents -> representation
HEAD = "head"  # the probe of a downstream outcome
COLUMNS = (  # of `results.csv`
    "lane", "seed", "setting", "selected", "perturbable", "dependence", "encoding_size",
    "noise_probability", "modality", "probe", "target", "metric", "environment", "value",
    "attainable", "status",
)  # fmt: skip
ZERO_SHOT = "zero_shot"  # the probe that is a caption itself
DIGITS = "%.7g"  # of numbers, as many as float32 has
NO_PROBE = "none"  # of a score that needs none


def lane_columns(place: int, lane: Lane) -> dict[str, Any]:
    """The columns that say which lane a row is about."""
    return {
        "lane": place,
        "seed": lane.seed,
        "setting": lane.setting,
        "selected": lane.selected,
        "perturbable": lane.perturbable,
        "dependence": lane.dependence,
        "encoding_size": lane.encoding_size,
        "noise_probability": lane.noise_probability,
    }


def results_table(
    numbers: Sequence[int],
    lanes: Sequence[Lane],
    scores: Sequence[Any],
    failed_at: Sequence[int],
    rows: Callable[[Lane, Any], Iterator[dict[str, Any]]],
) -> pd.DataFrame:
    """Rows of `results.csv`: one a score, with lane, modality, probe, target, value, attainable.

    `rows` makes those of one lane (see `Domain`).

    `status` is "ok", or tells the step at which the lane froze; its scores are then not a number.
    """
    table = pd.DataFrame(
        {**lane_columns(number, lane), **row, "status": status_of(step, "ok")}
        for number, lane, of_lane, step in zip(numbers, lanes, scores, failed_at, strict=True)
        for row in rows(lane, of_lane)
    )
    return table.assign(value=table.value.where(table.status == "ok"))


def add_results(path: Path, rows: pd.DataFrame) -> None:
    """Adds rows to `results.csv`, whole or not at all; rows of other lanes stay as they are."""
    there = complete_lines(path) if path.exists() else []
    new = set(map(str, rows.lane))
    kept = there[:1] + [line for line in there[1:] if line.split(",", 1)[0] not in new]
    write_atomically(
        path, "".join(kept) + rows.to_csv(index=False, header=not there, float_format=DIGITS)
    )


def scored_lanes(path: Path, scores: int | None = None) -> list[int]:
    """The numbers of the lanes in `results.csv`, none if there is no such file."""
    return sorted(set(read_results(path, scores).lane)) if path.exists() else []


def read_results(
    path: Path, scores: int | None = None, warn: Callable[[str], None] = lambda _: None
) -> pd.DataFrame:
    """The lanes in `results.csv` that are whole; a score that is not a number stays one.

    A whole lane has `scores` of them (see `Domain`), or, if that is None, as many as any.
    Says in a call of `warn` what it leaves out, as in a truncated file. Raises ValueError for a
    file of another version, which lacks a column.
    """
    lines = complete_lines(path)
    if not lines:
        return pd.DataFrame(columns=list(COLUMNS))
    text = io.StringIO("".join(lines))
    not_numbers = {"value": [""], "attainable": [""]}
    try:
        results = pd.read_csv(text, keep_default_na=False, na_values=not_numbers)
    except pd.errors.ParserError as error:
        raise ValueError(f"{path} is no table: {error}") from None
    missing = [name for name in COLUMNS if name not in results]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]!r}: another version wrote it; report it with that "
            "version, or run its config again in a new --workdir"
        )
    there = results[results.metric != "r2_beyond"].groupby("lane").size()
    torn = there.index[there < (scores or there.max())]
    if len(torn):
        warn(f"{path} is not whole: lane {', '.join(map(str, torn))} left out")
    return results[~results.lane.isin(torn)]


def unbiased_names(selected: str, perturbable: str) -> set[str]:
    """The names of the unbiased semantics, from the columns of `results.csv`."""
    return set(selected.split()) - set(perturbable.split())


def score_row(modality, probe, target, metric, value, attainable, environment="same"):
    """The columns of a score, after those of its lane."""
    return {
        "modality": modality,
        "probe": probe,
        "target": target,
        "metric": metric,
        "environment": environment,
        "value": float(value),
        "attainable": float(attainable),
    }


def complete_lines(path: Path) -> list[str]:
    """The lines of a file, without a last one that was cut off; ValueError if it is no text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text: {error}") from None
    return lines if not lines or lines[-1].endswith("\n") else lines[:-1]
