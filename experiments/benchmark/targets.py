"""Targets: what the project promises of its speed and memory, beside what was measured."""

import math

import pandas as pd

from experiments.benchmark.peer_comparison import EAGER
from experiments.benchmark.peer_comparison import PART as PEER
from experiments.benchmark.steps import LANE_STEP

GIB = 2**10  # MiB


def target_rows(table: pd.DataFrame) -> list[dict]:
    """A row a target whose parts were measured: value, target, and a note "met" or "missed"."""
    rows = []
    for optimizer in ("soap", "adam", "muon"):
        rival = "muon" if optimizer == "muon" else "adam"
        rows += _faster(table, "fast", optimizer, rival, 1024, 3)
    rows += _faster(table, "paper", "adam", "adam", 6144, 4)
    largest = _find(table, "objective", "ours, with gradient", 65536)
    for one in largest:
        gib = one.peak_mib / GIB if pd.notna(one.peak_mib) else math.inf  # out of memory
        rows.append(_row("objective with gradient, GiB", one, gib, 2, gib < 2))
    for optimizer in ("soap", "muon"):
        for one in _find(table, "growth", f"{LANE_STEP}, {optimizer}", 256):
            name = f"ms a lane-step, {one.variant}"
            rows.append(_row(name, one, one.time_ms, 3, one.time_ms <= 3))
    rows += _flat(table)
    return [row for row in rows if pd.notna(row["value"])]


def _flat(table) -> list[dict]:
    """How far the time of a lane-step differs from 32 lanes to 512, where both were timed."""
    timed = _find(table[table.time_ms.notna()], "step", "fast", 1024)
    times = {row.lanes: row.time_ms for row in timed if 32 <= row.lanes <= 512}
    if not {32, 512} <= times.keys():
        return []
    ratio = max(times.values()) / min(times.values())
    name = "fast: most over least ms a lane-step, 32 to 512 lanes"
    return [_row(name, timed[-1], ratio, 1.2, ratio <= 1.2)]


def _faster(table, recipe, optimizer, rival, batch, target) -> list[dict]:
    """Lane-steps a second of ours, in units of the eager peer's."""
    ours = _find(table, PEER, f"{recipe}, {optimizer}, ours", batch)
    theirs = _find(table, PEER, f"{recipe}, {rival}, {EAGER}", batch)
    rows = []
    for one, other in zip(ours, theirs, strict=False):
        ratio = other.time_ms / one.time_ms
        name = f"{recipe}, {optimizer}: times as fast as eager {rival}"
        rows.append(_row(name, one, ratio, target, ratio >= target))
    return rows


def _find(table: pd.DataFrame, part: str, variant: str, size: int) -> list[pd.Series]:
    found = table[(table.part == part) & (table.variant == variant) & (table["size"] == size)]
    return [row for _, row in found.iterrows()]


def _row(name, one, value, target, met) -> dict:
    row = {"part": "target", "variant": name, "size": one["size"], "lanes": one.lanes}
    return row | {"value": value, "target": target, "note": "met" if met else "missed"}
