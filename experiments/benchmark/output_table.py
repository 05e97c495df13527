"""Output table: one row per measurement, as CSV and for the terminal; two tables side by side."""

import platform
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import pandas as pd

from experiments.benchmark.measurement.cases import Row
from experiments.report.terminal_tables import Column
from lvm.files.atomic import write_atomically

KEYS = ["part", "variant", "size", "lanes"]
RATES = ["time_ms", "low", "high", "gflops", "gb_s", "share"]
COSTS = ["peak_mib", "compile_s"]
COLUMNS = [*KEYS, "devices", *RATES, *COSTS, "value", "target", "note", "machine", "jax"]


def make_table(rows: Sequence[Row]) -> pd.DataFrame:
    """Returns all rows with all columns; numbers that were not measured are NaN.

    size:      batch, width, pairs, rows or pixels per side; MiB of a copy.
    time_ms:   median milliseconds of one unit of work, which is a lane-step in a sweep.
    low, high: the same of the fastest and of the slowest repeat.
    gflops:    counted operations over that time.
    gb_s:      bytes that must be read and written, over that time.
    share:     gflops or gb_s as a fraction of the device's ceiling, the larger of the two.
    peak_mib:  memory per device.
    value, target: of the target that the variant names.
    """
    about = {"machine": machine(), "jax": jax.__version__}
    table = pd.DataFrame([row | about for row in rows]).reindex(columns=COLUMNS)
    return table.assign(note=table.note.astype(object).fillna(""))


def machine() -> str:
    """Returns the number and the kind of the devices."""
    kind = jax.devices()[0].device_kind
    return f"{jax.device_count()} x {kind} ({platform.machine()})"


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Writes a table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, table.to_csv(index=False, float_format="%.6g"))


def read_table(path: Path) -> pd.DataFrame:
    """Returns the table in a CSV; raises OSError, or ValueError if a column is missing."""
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no CSV of a benchmark: {error}") from None
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise ValueError(f"{path} is no CSV of a benchmark: column {missing[0]} is missing")
    return table.assign(note=table.note.astype(object).fillna(""))


def side_by_side(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows that both tables have measured, and the ratio of times, second over first.

    Rows match if their part, variant, size and lanes do.

    Raises ValueError if no rows match.
    """
    columns = [*KEYS, "time_ms", "peak_mib"]
    both = first[columns].merge(second[columns], on=KEYS, suffixes=("_a", "_b"))
    both = both[both[["time_ms_a", "peak_mib_a"]].notna().any(axis=1)]
    if both.empty:
        raise ValueError("the two runs have no row in common: allowed are runs of the same parts")
    columns = [*KEYS, "time_ms_a", "time_ms_b", "ratio", "peak_mib_a", "peak_mib_b"]
    return both.assign(ratio=both.time_ms_b / both.time_ms_a)[columns]


def terminal_columns(table: pd.DataFrame) -> list[Column]:
    """Returns the columns for the terminal, without empty ones; the first two are keys."""
    table = table.drop(columns=["machine", "jax", "devices"], errors="ignore")
    if "low" in table:
        spread = [f"{_text(low)} to {_text(high)}" for low, high in table[["low", "high"]].values]
        table = table.assign(low=np.where(table.low.notna(), spread, "")).drop(columns="high")
        table = table.rename(columns={"low": "low to high"})
    table = table.loc[:, [not _empty(table[column]) for column in table]]
    is_text = lambda name: name in ("part", "variant", "note")
    return [Column(name, list(map(_text, table[name])), is_text(name)) for name in table]


def _empty(column: pd.Series) -> bool:
    return column.isna().all() or (column == "").all()


def _text(value) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    if value == round(value):
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
