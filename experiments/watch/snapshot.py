"""Snapshot: the present content of a run directory, as plain data for a page."""

import math
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.report.tables import law_labels, setting_labels
from experiments.rundir import history
from experiments.rundir.checkpoint_files import DIVERGED, read_run
from experiments.rundir.describe import kept_and_leaked, table_rows
from experiments.rundir.lane_identity import unbiased_names
from experiments.rundir.progress_file import read_progress
from experiments.rundir.results import NOT_SEMANTICS
from experiments.sweep.lane_status import LARGEST, RUNAWAY, usual_reason
from experiments.watch.run_state import news_age, run_state

DIGITS = 4  # decimals of numbers on a page
POINTS = 200  # of a curve, at most
TABLES = ("config.json", "history.csv", "results.csv")
STOPPED = {"training": "stopped", "trained": "stopped"}  # statuses once the process has ended
PREFIX = "x_"  # of monitor scores from images

Snapshot = dict[str, Any]


def take_snapshot(directory: Path) -> Snapshot:
    """Returns the state, progress, lanes and curves of a run, finished or not, as JSON values.

    name, state, sentence: the directory, and as from `run_state`.
    fraction: of all steps of all lanes that are done.
    progress: {} unless a process runs; as from `read_progress`, with `seconds_left` as of now.
    lanes:    one dict per lane: lane, label, seed, step, steps, loss, status, reason, least_kept,
              most_leaked.
    settings: one dict per label: label, lanes, steps, loss, kept and other. The latter two are
              curves by name of the semantic, means over lanes; they have a value per step.

    Only files are read. Raises ValueError if `directory` is not a run directory.
    """
    lanes, settings = _read_tables(directory, _stamps(directory))
    scored = sum(lane["is_scored"] for lane in lanes)
    state = run_state(directory, scored=scored, lanes=len(lanes))
    progress = read_progress(directory) if state.name in ("running", "quiet") else {}
    if state.name == "stopped":
        lanes = [lane | {"status": STOPPED.get(lane["status"], lane["status"])} for lane in lanes]
    if progress.get("seconds_left") is not None:
        progress["seconds_left"] = max(0.0, progress["seconds_left"] - news_age(directory))
    return {
        "name": directory.resolve().name,
        "state": state.name,
        "sentence": state.sentence,
        "fraction": 1.0 if state.name == "finished" else _fraction(lanes),
        "progress": progress,
        "lanes": lanes,
        "settings": settings,
    }


def _fraction(lanes: list[Snapshot]) -> float:
    done = sum(lane["steps"] if lane["is_scored"] else lane["step"] for lane in lanes)
    return done / sum(lane["steps"] for lane in lanes)


def _stamps(directory: Path) -> tuple[tuple[int, int], ...]:
    """Size and time of the last change of each table, (0, 0) where there is none."""
    paths = [directory / name for name in TABLES]
    return tuple(
        (status.st_size, status.st_mtime_ns) if (status := _status(path)) else (0, 0)
        for path in paths
    )


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


@lru_cache(1)
def _read_tables(directory: Path, stamps: Any) -> tuple[list[Snapshot], list[Snapshot]]:
    """The lanes and settings of a snapshot; `stamps` are those of the files."""
    del stamps
    lanes = pd.DataFrame(read_run(directory)["lanes"])
    laws = law_labels(lanes)
    lanes["label"] = setting_labels(lanes) + (", " + laws if laws.nunique() > 1 else "")
    points = history.read(directory)
    points = points[points.lane.isin(lanes.index)]
    results = list(table_rows(directory, "results.csv"))
    statuses = {
        int(row["lane"]): row["status"]
        for row in results
        if int(row.get("steps", lanes.steps.max())) >= lanes.steps.get(int(row["lane"]), 0)
    }
    extremes = kept_and_leaked(results)
    of_lane = dict(list(points.groupby("lane")))
    described = [
        _lane(number, lane, of_lane.get(number), statuses.get(number))
        | extremes.get(number, {"least_kept": None, "most_leaked": None})
        for number, lane in enumerate(lanes.to_dict("records"))
    ]
    settings = [_setting(label, rows, points) for label, rows in lanes.groupby("label", sort=False)]
    return _rounded(described), _rounded(settings)


def _lane(
    number: int, lane: dict[str, Any], points: pd.DataFrame | None, scored: str | None
) -> Snapshot:
    has_points = points is not None and len(points) > 0
    step = int(points.step.iloc[-1]) if has_points else 0
    status = scored or (_status_of(points, lane["steps"]) if has_points else "waiting")
    return {
        "lane": number,
        **{name: lane[name] for name in ("label", "seed", "steps")},
        "step": step,
        "loss": float(points.loss.iloc[-1]) if has_points else None,
        "is_scored": scored is not None,
        "status": status,
        "reason": usual_reason(status),
    }


def _status_of(points: pd.DataFrame, steps: int) -> str:
    """The status of a lane without scores, from its points alone.

    A loss further from 0 than twice LARGEST ran away by the rule of `lane_statuses`.
    """
    failed, far = points[points.loss.isna()], points[points.loss.abs() > 2 * LARGEST]
    if len(failed):
        return f"{DIVERGED} at step {failed.step.iloc[0]} or before"
    if len(far):
        return RUNAWAY.format(far.step.iloc[0])
    return "trained" if points.step.iloc[-1] >= steps else "training"


def _setting(label: str, lanes: pd.DataFrame, points: pd.DataFrame) -> Snapshot:
    rows = points[points.lane.isin(lanes.index) & points.loss.notna()]
    others = {f"{PREFIX}{target}" for target in NOT_SEMANTICS}
    names = [name for name in rows if name.startswith(PREFIX) and name not in others]
    means = rows.groupby("step")[["loss", *names]].mean()
    means = means.iloc[:: max(1, math.ceil(len(means) / POINTS))]
    curves = {name.removeprefix(PREFIX): means[name].tolist() for name in names}
    unbiased = unbiased_names(lanes.selected.iloc[0], lanes.perturbable.iloc[0])
    return {
        "label": label,
        "lanes": lanes.index.tolist(),
        "steps": means.index.tolist(),
        "loss": means.loss.tolist(),
        "kept": {name: curve for name, curve in curves.items() if name in unbiased},
        "other": {name: curve for name, curve in curves.items() if name not in unbiased},
    }


def _rounded(value: Any) -> Any:
    """The same with rounded numbers, and None for NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_rounded(entry) for entry in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value
