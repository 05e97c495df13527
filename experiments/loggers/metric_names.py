"""Metric names: the metrics of a row of `history.csv`, named in groups."""

import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from experiments.rundir.lane_identity import Lane

IDENTITY = ("lane", *(field.name for field in fields(Lane)))
MODALITIES = ("x_", "t_")  # prefixes of monitor scores


def identity(row: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the columns that identify the lane of a row."""
    return {name: row[name] for name in IDENTITY}


def metrics(row: Mapping[str, Any]) -> dict[str, float]:
    """Returns the finite metrics of a row: "loss", "grad_norm", "x/s1", "t/s1", ..."""
    return {
        f"{name[0]}/{name[2:]}" if name.startswith(MODALITIES) else name: float(value)
        for name, value in row.items()
        if name not in (*IDENTITY, "step") and math.isfinite(value)
    }
