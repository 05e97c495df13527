"""Table: a row a measurement, as CSV and in the terminal; two of them side by side."""

import platform
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import pandas as pd
from rich.table import Table

from experiments.benchmark.measurement.cases import Row
from lvm.files.atomic import write_atomically

KEYS = ["part", "variant", "size", "lanes"]
RATES = ["time_ms", "low", "high", "gflops", "gb_s", "share"]
COSTS = ["peak_mib", "compile_s"]
COLUMNS = [*KEYS, "devices", *RATES, *COSTS, "value", "target", "note", "machine", "jax"]


def make_table(rows: Sequence[Row]) -> pd.DataFrame:
    """All rows with all columns; what was not measured is missing.

    size: batch, width, pairs, rows or pixels a side; MiB of a copy. time_ms: median milliseconds of
    one, a lane-step in a sweep; low and high: of all repeats. gflops and gb_s: counted operations,
    and bytes that must be read and written, over that time; share: of the device's ceiling in one
    or the other, the larger. peak_mib: of a device. value, target: of a target, see its variant.
    """
    about = {"machine": machine(), "jax": jax.__version__}
    table = pd.DataFrame([row | about for row in rows]).reindex(columns=COLUMNS)
    return table.assign(note=table.note.astype(object).fillna(""))


def machine() -> str:
    """The devices at hand, in words."""
    kind = jax.devices()[0].device_kind
    return f"{jax.device_count()} x {kind} ({platform.machine()})"


def save_table(table: pd.DataFrame, path: Path) -> None:
    """Writes a table as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, table.to_csv(index=False, float_format="%.6g"))


def read_table(path: Path) -> pd.DataFrame:
    """A table from CSV; raises OSError, or ValueError if a column is missing."""
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is no CSV of a benchmark: {error}") from None
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise ValueError(f"{path} is no CSV of a benchmark: column {missing[0]} is missing")
    return table.assign(note=table.note.astype(object).fillna(""))


def side_by_side(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """What both have measured; ratio: time of the second in units of the first.

    Rows are the same if their part, variant, size and lanes are. Raises ValueError if none are.
    """
    columns = [*KEYS, "time_ms", "peak_mib"]
    both = first[columns].merge(second[columns], on=KEYS, suffixes=("_a", "_b"))
    both = both[both[["time_ms_a", "peak_mib_a"]].notna().any(axis=1)]
    if both.empty:
        raise ValueError("the two runs have no row in common: nothing to set side by side")
    columns = [*KEYS, "time_ms_a", "time_ms_b", "ratio", "peak_mib_a", "peak_mib_b"]
    return both.assign(ratio=both.time_ms_b / both.time_ms_a)[columns]


def shown(table: pd.DataFrame) -> Table:
    """A table for the terminal; columns in which nothing stands are left out."""
    table = table.drop(columns=["machine", "jax", "devices"], errors="ignore")
    if "low" in table:
        spread = [f"{_text(low)} to {_text(high)}" for low, high in table[["low", "high"]].values]
        table = table.assign(low=np.where(table.low.notna(), spread, "")).drop(columns="high")
        table = table.rename(columns={"low": "low to high"})
    table = table.loc[:, [not _empty(table[column]) for column in table]]
    drawn = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    for column in table:
        words = column in ("part", "variant", "note")
        drawn.add_column(column, justify="left" if words else "right", no_wrap=column != "note")
    for _, rows in table.groupby("part", sort=False):
        drawn.add_section()
        for row in rows.itertuples(index=False):
            drawn.add_row(*map(_text, row))
    return drawn


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
