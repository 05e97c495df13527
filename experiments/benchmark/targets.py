"""Targets: the speed and memory that the project aims for, compared with measurements."""

import math

import pandas as pd

from experiments.benchmark.peer_comparison import EAGER
from experiments.benchmark.peer_comparison import PART as PEER
from experiments.benchmark.steps import LANE_STEP

GIB = 2**10  # MiB


def target_rows(table: pd.DataFrame) -> list[dict]:
    """Returns one row per target whose parts were measured.

    A row has the measured value, the target, and the note "met" or "missed".
    """
    rows = []
    for optimizer in ("soap", "adam", "muon"):
        peer_optimizer = "muon" if optimizer == "muon" else "adam"
        fast = {"recipe": "fast", "batch": 1024, "target": 3}
        rows += _speedup(table, optimizer, peer_optimizer, **fast)
    rows += _speedup(table, "adam", "adam", recipe="paper", batch=6144, target=4)
    for measured in _find(table, "objective", "ours, with gradient", 65536):
        out_of_memory = pd.isna(measured.peak_mib)
        gib = math.inf if out_of_memory else measured.peak_mib / GIB
        name = "objective with gradient, GiB"
        rows.append(_row(name, measured, value=gib, target=2, met=gib < 2))
    for optimizer in ("soap", "muon"):
        for measured in _find(table, "growth", f"{LANE_STEP}, {optimizer}", 256):
            name, time = f"ms per lane-step, {measured.variant}", measured.time_ms
            rows.append(_row(name, measured, value=time, target=3, met=time <= 3))
    rows += _constant_time(table)
    return [row for row in rows if pd.notna(row["value"])]


def _constant_time(table) -> list[dict]:
    """Returns the row for lane-steps of `fast` from 32 to 512 lanes, if both have been timed."""
    timed = _find(table[table.time_ms.notna()], "step", "fast", 1024)
    times = {row.lanes: row.time_ms for row in timed if 32 <= row.lanes <= 512}
    if not {32, 512} <= times.keys():
        return []
    ratio = max(times.values()) / min(times.values())
    name = "fast: longest over shortest ms per lane-step, 32 to 512 lanes"
    return [_row(name, timed[-1], value=ratio, target=1.2, met=ratio <= 1.2)]


def _speedup(table, optimizer, peer_optimizer, *, recipe, batch, target) -> list[dict]:
    """Returns the row for lane-steps per second, as a multiple of those of the eager peer."""
    sweeps = _find(table, PEER, f"{recipe}, {optimizer}, ours", batch)
    peers = _find(table, PEER, f"{recipe}, {peer_optimizer}, {EAGER}", batch)
    rows = []
    for sweep, peer in zip(sweeps, peers, strict=False):
        ratio = peer.time_ms / sweep.time_ms
        name = f"{recipe}, {optimizer}: times as fast as eager {peer_optimizer}"
        rows.append(_row(name, sweep, value=ratio, target=target, met=ratio >= target))
    return rows


def _find(table: pd.DataFrame, part: str, variant: str, size: int) -> list[pd.Series]:
    found = table[(table.part == part) & (table.variant == variant) & (table["size"] == size)]
    return [row for _, row in found.iterrows()]


def _row(name, measured, *, value, target, met) -> dict:
    row = {"part": "target", "variant": name, "size": measured["size"], "lanes": measured.lanes}
    return row | {"value": value, "target": target, "note": "met" if met else "missed"}
