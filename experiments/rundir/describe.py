"""Describe: the content of a run directory as plain data; needs no JAX."""

import csv
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from experiments.rundir.checkpoint_files import (
    Checkpoint,
    array_names,
    check_inside,
    list_checkpoints,
    newest_by_lane,
    read_arrays,
    read_metadata,
    read_run,
    status_of,
)
from experiments.rundir.lane_identity import role_and_score
from experiments.runtime.plugins import plugin_states
from experiments.runtime.text_lines import complete_lines
from lvm.files.atomic import atomic_path

PROBE = "mlp"  # the probe whose scores are shown, if it was used
METRICS = ("r2", "matthews")
TASKS = ("head", "zero_shot")  # not probes of a target


def describe_run(directory: Path) -> dict[str, Any]:
    """Returns metadata, lanes and arrays of a run; lanes with step, loss, status and scores.

    The step is that of the newest point of the history; `checkpoint_step` is that of the arrays.
    """
    content = read_run(directory)
    newest = newest_by_lane(list_checkpoints(directory))
    failed = {checkpoint: _failed_at(checkpoint) for checkpoint in set(newest.values())}
    points = last_points(directory)
    results = list(table_rows(directory, "results.csv"))
    flags = {int(row["lane"]): row["status"] for row in results}
    scores = kept_and_leaked(results)
    lanes = []
    for number, lane in enumerate(content["lanes"]):
        checkpoint = newest.get(number)
        saved = checkpoint.step if checkpoint else 0
        step, loss = points.get(number, (0, None))
        failed_at = failed[checkpoint][checkpoint.lanes.index(number)] if checkpoint else -1
        state = _state(number, flags, has_begun=step > 0 or checkpoint is not None)
        lanes.append(
            {
                "lane": number,
                **lane,
                "step": max(step, saved),
                "checkpoint_step": saved,
                "loss": loss,
                "failed_at": failed_at,
                "status": status_of(failed_at, state),
                **scores.get(number, {"least_kept": None, "most_leaked": None}),
            }
        )
    metadata = read_metadata(next(iter(newest.values()))) if newest else {}
    return {
        "directory": str(directory),
        **{name: metadata.get(name) for name in ("format", "commit", "dtype", "versions")},
        "plugins": plugin_states(content["plugins"]),
        "lanes": lanes,
        "arrays": describe_lane(directory, min(newest))["arrays"] if newest else [],
    }


def finished_lanes(directory: Path) -> list[dict[str, Any]]:
    """Returns the lanes of `describe_run`; raises ValueError if one has steps left."""
    lanes = describe_run(directory)["lanes"]
    for lane in lanes:
        if lane["checkpoint_step"] < lane["steps"]:
            raise ValueError(
                f"lane {lane['lane']} of {directory} has done {lane['checkpoint_step']} of "
                f"{lane['steps']} steps: let the run end"
            )
    return lanes


def describe_lane(directory: Path, number: int) -> dict[str, Any]:
    """Returns identity and step of a lane, and name, shape, dtype, bytes and norm of its arrays."""
    checkpoint, lane = newest_checkpoint(directory, number)
    arrays = lane_arrays(checkpoint, number)
    return {
        "lane": number,
        **lane,
        "step": checkpoint.step,
        "checkpoint": str(checkpoint.path),
        "arrays": [
            {
                "name": name,
                "shape": list(array.shape),
                "dtype": str(array.dtype),
                "bytes": array.nbytes,
                "norm": float(np.linalg.norm(array.astype(np.float64))),
            }
            for name, array in arrays.items()
        ],
    }


def newest_checkpoint(directory: Path, number: int) -> tuple[Checkpoint, dict[str, Any]]:
    """Returns the newest checkpoint of a lane, and its identity.

    Raises ValueError if there is no such lane, or no checkpoint of it.
    """
    lanes = read_run(directory)["lanes"]
    if not 0 <= number < len(lanes):
        raise ValueError(f"lane is {number}: allowed is 0..{len(lanes) - 1}")
    checkpoint = newest_by_lane(list_checkpoints(directory)).get(number)
    if checkpoint is None:
        raise ValueError(f"lane {number} has no checkpoint yet: wait for the first one")
    return checkpoint, lanes[number]


def lane_arrays(checkpoint: Checkpoint, number: int) -> dict[str, np.ndarray]:
    """Returns all arrays of one lane by dotted name; reads no other lane."""
    names = array_names(checkpoint)
    rows = read_arrays(checkpoint, names, [number])
    return {".".join(name): row[0] for name, row in zip(names, rows, strict=True)}


def export_lane(directory: Path, number: int, path: Path) -> None:
    """Writes all arrays of one lane to a new `.npz`; raises ValueError for any other path."""
    if path.suffix != ".npz":
        raise ValueError(f"{path} does not end in .npz: choose another name")
    if path.exists():
        raise ValueError(f"{path} exists: choose another name")
    checkpoint, lane = newest_checkpoint(directory, number)
    identity = json.dumps({"lane": number, **lane, "step": checkpoint.step})
    arrays = lane_arrays(checkpoint, number)
    with atomic_path(path) as partial, partial.open("wb") as file:
        np.savez(file, identity=np.array(identity), **arrays)


def lane_differences(directory: Path, other: Path, number: int) -> dict[str, float]:
    """Returns the largest |difference| of each array of one lane from another run or `.npz`.

    It is infinite for an array that only one of them has, of another shape, or NaN at other
    positions. Raises ValueError if one of them cannot be read.
    """
    arrays = lane_arrays(newest_checkpoint(directory, number)[0], number)
    if other.suffix == ".npz":
        others = _read_exported(other)
    else:
        others = lane_arrays(newest_checkpoint(other, number)[0], number)
    return {
        name: _difference(arrays.get(name), others.get(name))
        for name in sorted(arrays.keys() | others.keys())
    }


def _difference(a: np.ndarray | None, b: np.ndarray | None) -> float:
    if a is None or b is None or a.shape != b.shape:
        return float("inf")
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return float("inf")
    with np.errstate(invalid="ignore"):  # infinity - infinity
        difference = np.where(a == b, 0.0, np.abs(a.astype(np.float64) - b))
    return float(np.nanmax(difference, initial=0))


def _read_exported(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a lane that `export_lane` wrote."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if name != "identity"}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _failed_at(checkpoint: Checkpoint) -> list[int]:
    """The step at which each lane of a checkpoint diverged, -1 if it did not."""
    return read_arrays(checkpoint, [("train", "failed_at")], checkpoint.lanes)[0].tolist()


def _state(number: int, flags: dict[int, str], has_begun: bool) -> str:
    if number in flags:
        flag = flags[number].partition(":")[0]  # the rest is in the table of results
        return "scored" if flag == "ok" else flag
    return "training" if has_begun else "waiting"


def last_points(directory: Path) -> dict[int, tuple[int, float]]:
    """Returns step and loss of the newest point of each lane in `history.csv`."""
    return {
        int(row["lane"]): (int(row["step"]), float(row["loss"] or "nan"))
        for row in table_rows(directory, "history.csv")
    }


def kept_and_leaked(results: list[dict[str, str]]) -> dict[int, dict[str, float]]:
    """Returns `least_kept` and `most_leaked` of each lane in rows of `results.csv`.

    They are the lowest score of an unbiased semantic, and the largest excess of another target.
    """
    rows = [row for row in results if row["metric"] in METRICS and row["probe"] not in TASKS]
    probes = {row["probe"] for row in rows}
    probe = PROBE if PROBE in probes else min(probes, default=PROBE)
    scores: dict[int, dict[str, list[float]]] = {}
    for row in rows:
        if row["probe"] == probe:
            role, score = role_and_score(row | {"value": row["value"] or "nan"})
            scores.setdefault(int(row["lane"]), {}).setdefault(role, []).append(score)
    return {
        lane: {  # NumPy's minimum and maximum propagate NaN
            "least_kept": float(np.min(by_role["kept"])),
            "most_leaked": float(np.max(by_role["leaked"])),
        }
        for lane, by_role in scores.items()
    }


def table_rows(directory: Path, name: str) -> Iterator[dict[str, str]]:
    """Yields the complete rows of a table of a run directory as text; none if it is missing."""
    path = directory / name
    if path.exists():
        check_inside(directory, path)
        yield from csv.DictReader(complete_lines(path))
