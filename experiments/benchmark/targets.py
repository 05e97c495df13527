"""Targets: what the project promises of its speed and memory, beside what was measured."""

import math

import pandas as pd

from experiments.benchmark.duel import EAGER
from experiments.benchmark.duel import PART as PEER
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
    rows += [*_flat(table), *_share_of_bfloat16(table)]
    return [row for row in rows if pd.notna(row["value"])]


def _flat(table) -> list[dict]:
    """How far time a lane-step differs from 32 lanes to 512; a CPU is not measured so far."""
    timed = table[table.time_ms.notna()]
    steps = [row for row in _find(timed, "step", "fast", 1024) if 32 <= row.lanes <= 512]
    if {32, 512} - {row.lanes for row in steps}:
        return []
    times = [row.time_ms for row in steps]
    ratio = max(times) / min(times)
    return [_row("fast: most over least ms, 32 to 512 lanes", steps[-1], ratio, 1.2, ratio <= 1.2)]


def _share_of_bfloat16(table) -> list[dict]:
    """The share that `paper` has, on one device, of products in bfloat16 where these are faster."""
    timed = table[table.gflops.notna()]
    ceilings = {
        kind: row.gflops
        for kind in ("float32", "bfloat16")
        for row in _find(timed[timed.lanes == 1], "ceilings", f"{kind} product")
    }
    steps = [row for row in _find(timed, "step", "paper", 6144) if row.devices == 1]
    if not steps or ceilings.get("bfloat16", 0) <= ceilings.get("float32", math.inf):
        return []
    best = max(steps, key=lambda row: row.gflops)
    share = best.gflops / ceilings["bfloat16"]
    return [_row("paper: share of the bfloat16 ceiling", best, share, 0.4, share >= 0.4)]


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


def _find(table: pd.DataFrame, part: str, variant: str, size: int | None = None) -> list[pd.Series]:
    found = table[(table.part == part) & (table.variant == variant)]
    return [row for _, row in found.iterrows() if size in (None, row["size"])]


def _row(name, one, value, target, met) -> dict:
    row = {"part": "target", "variant": name, "size": one["size"], "lanes": one.lanes}
    return row | {"value": value, "target": target, "note": "met" if met else "missed"}
