"""Part task: the arguments of a part, and the table of its rows, which grows on disk."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import pandas as pd

from experiments.benchmark.accelerator.device_sizes import DeviceSizes
from experiments.benchmark.output_table import save_table

Record = Callable[..., None]
NO_TIME = "no time left"


class PartTask(NamedTuple):
    """The arguments of a part.

    record:   (case, **columns) adds a row, or replaces that of the same case.
    out:      folder of the tables of all parts.
    deadline: end of the time limit, as `time.time` counts.
    """

    sizes: DeviceSizes
    record: Record
    out: Path
    deadline: float


def make_record(path: Path) -> Record:
    """Returns a function that adds a row to a CSV, which is written anew after each row.

    A row replaces an earlier one of the same case, and comes last.
    """
    rows: dict[str, dict[str, Any]] = {}

    def record(case: str, **columns):
        rows.pop(case, None)
        rows[case] = {"case": case, **columns}
        save_table(pd.DataFrame(list(rows.values())), path)

    return record


def verdict(value: float, target: float, *, met: bool) -> dict[str, Any]:
    """Returns the columns of a row whose value has a target."""
    return {"value": value, "target": target, "verdict": "met" if met else "missed"}


def seconds_left(task: PartTask) -> float:
    """Returns seconds until the deadline, at least 0."""
    return max(0.0, task.deadline - time.time())


def peak_mib() -> float:
    """Returns the largest memory used on the first device so far, in MiB; NaN if not reported."""
    stats = jax.local_devices()[0].memory_stats() or {}
    return stats.get("peak_bytes_in_use", float("nan")) / 2**20
