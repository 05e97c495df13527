"""Contents: what a run directory holds, as plain data; needs neither JAX nor what wrote it."""

import csv
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from experiments.rundir.checkpoint_files import (
    Checkpoint,
    array_names,
    check_inside,
    list_checkpoints,
    newest_by_lane,
    read_about,
    read_arrays,
    read_run,
    status_of,
    steps_of,
)

PROBE = "mlp"  # whose scores are told, if it was asked for
METRICS = ("r2", "matthews")
TASKS = ("head", "zero_shot")  # what is no probe of a target


def describe_run(directory: Path) -> dict[str, Any]:
    """The run as plain data: origin, lanes with step, loss, status and scores, and its arrays."""
    content = read_run(directory)
    newest = newest_by_lane(list_checkpoints(directory))
    failed = {stored: _failed_at(stored) for stored in set(newest.values())}
    losses = _last_losses(directory)
    scores = _scores(directory)
    lanes = []
    for number, lane in enumerate(content["lanes"]):
        stored = newest.get(number)
        step = stored.step if stored else 0
        froze = failed[stored][stored.lanes.index(number)] if stored else -1
        state = "scored" if number in scores else "training" if stored else "waiting"
        lanes.append(
            {
                "lane": number,
                **lane,
                "step": step,
                "steps": steps_of(content["config"], lane["setting"]),
                "loss": losses.get(number),
                "status": status_of(froze, state),
                **scores.get(number, {"least_kept": None, "most_leaked": None}),
            }
        )
    about = read_about(next(iter(newest.values()))) if newest else {}
    return {
        "directory": str(directory),
        **{name: about.get(name) for name in ("format", "commit", "dtype", "versions")},
        "lanes": lanes,
        "arrays": describe_lane(directory, min(newest))["arrays"] if newest else [],
    }


def describe_lane(directory: Path, number: int) -> dict[str, Any]:
    """One lane as plain data: identity, step, and name, shape, dtype, bytes and norm of arrays."""
    stored, lane = locate(directory, number)
    arrays = lane_arrays(stored, number)
    return {
        "lane": number,
        **lane,
        "step": stored.step,
        "checkpoint": str(stored.path),
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


def locate(directory: Path, number: int) -> tuple[Checkpoint, dict[str, Any]]:
    """The newest checkpoint of a lane, and its identity; raises ValueError if there is none."""
    lanes = read_run(directory)["lanes"]
    if not 0 <= number < len(lanes):
        raise ValueError(f"lane is {number}: allowed is 0..{len(lanes) - 1}")
    stored = newest_by_lane(list_checkpoints(directory)).get(number)
    if stored is None:
        raise ValueError(f"lane {number} has no checkpoint yet: wait for the first one")
    return stored, lanes[number]


def lane_arrays(stored: Checkpoint, number: int) -> dict[str, np.ndarray]:
    """All arrays of one lane by dotted name, read without touching the other lanes."""
    names = array_names(stored)
    rows = read_arrays(stored, names, [number])
    return {".".join(name): row[0] for name, row in zip(names, rows, strict=True)}


def export(directory: Path, number: int, path: Path) -> None:
    """Writes all arrays of one lane to a new `.npz`; raises ValueError for any other file."""
    if path.suffix != ".npz":
        raise ValueError(f"{path} does not end in .npz: choose another name")
    if path.exists():
        raise ValueError(f"{path} exists: choose another name")
    stored, lane = locate(directory, number)
    identity = json.dumps({"lane": number, **lane, "step": stored.step})
    np.savez(path, identity=np.array(identity), **lane_arrays(stored, number))


def differences(directory: Path, other: Path, number: int) -> dict[str, float]:
    """Largest |difference| of each array of one lane from that of another run or `.npz`.

    An array that only one of them has, of another shape, or not a number at other places, differs
    by infinity. Raises ValueError if there is nothing to read.
    """
    here = lane_arrays(locate(directory, number)[0], number)
    if other.suffix == ".npz":
        there = _exported(other)
    else:
        there = lane_arrays(locate(other, number)[0], number)

    def difference(name):
        a, b = here.get(name), there.get(name)
        if a is None or b is None or a.shape != b.shape:
            return float("inf")
        if not np.array_equal(np.isnan(a), np.isnan(b)):
            return float("inf")
        with np.errstate(invalid="ignore"):  # infinity - infinity
            apart = np.where(a == b, 0.0, np.abs(a.astype(np.float64) - b))
        return float(np.nanmax(apart, initial=0))

    return {name: difference(name) for name in sorted(here.keys() | there.keys())}


def _exported(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a lane that `export` wrote."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            return {name: file[name] for name in file.files if name != "identity"}
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _failed_at(stored: Checkpoint) -> list[int]:
    """The step at which each lane of a checkpoint froze, -1 if it did not."""
    return read_arrays(stored, [("train", "failed_at")], stored.lanes)[0].tolist()


def _last_losses(directory: Path) -> dict[int, float]:
    """The newest loss of each lane in `history.csv`."""
    return {
        int(row["lane"]): float(row["loss"] or "nan") for row in _rows(directory, "history.csv")
    }


def _scores(directory: Path) -> dict[int, dict[str, float]]:
    """Lowest score of an unbiased semantic, and largest excess of another target, by lane."""
    rows = [
        row
        for row in _rows(directory, "results.csv")
        if row["metric"] in METRICS and row["probe"] not in TASKS
    ]
    probes = {row["probe"] for row in rows}
    probe = PROBE if PROBE in probes else min(probes, default=PROBE)
    kept: dict[int, list[float]] = {}
    leaked: dict[int, list[float]] = {}
    for row in rows:
        if row["probe"] == probe and row["target"] != "rep":
            unbiased = set(row["selected"].split()) - set(row["perturbable"].split())
            value = float(row["value"] or "nan")
            if row["target"] in unbiased:
                kept.setdefault(int(row["lane"]), []).append(value)
            else:
                excess = value - float(row["attainable"])
                leaked.setdefault(int(row["lane"]), []).append(excess)
    return {
        lane: {"least_kept": float(np.min(kept[lane])), "most_leaked": float(np.max(leaked[lane]))}
        for lane in kept  # numpy's, since a score that is not a number must show
    }


def _rows(directory: Path, name: str):
    path = directory / name
    if path.exists():
        check_inside(directory, path)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        yield from csv.DictReader(line for line in lines if line.endswith("\n"))
