"""Columns: tables in CSV files, whose first line names the columns. Rows count from 0."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

# What a column may hold: whole numbers from 0 and below a number, numbers from one to another, or
# (None) words.
Allowed = int | tuple[float, float] | None

DIGITS = 9  # that tell every float32 apart


def read_columns(path: Path, required: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """All columns of a file, as they are written.

    Raises ValueError, with the file, if it cannot be read, for a row that is longer or shorter than
    the first line and for a required column that is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    for name in required:
        if name not in header:
            there = ", ".join(header) or "none"
            raise ValueError(f"{path} has no column {name}: its columns are {there}")
    for place, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(
                f"{path}: row {place} has {len(row)} fields: allowed are {len(header)}, as in its "
                "first line"
            )
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return dict(zip(header, columns, strict=True))


def check_column(
    where: str, told: Sequence[str] | Shaped[np.ndarray, " n"], allowed: Allowed
) -> Shaped[np.ndarray, " n"]:
    """A column as int32, float32 or words [n], whichever is allowed.

    Raises ValueError that begins with `where` for a value that is no number, NaN or out of range.
    """
    if allowed is None:
        return np.asarray(told, str)
    whole = isinstance(allowed, int)
    low, high = (0, allowed - 1) if whole else allowed
    values = _numbers(told)
    good = (low <= values) & (values <= high)  # neither of which NaN is
    if whole:
        good &= values == np.round(values)
    if not good.all():
        row = int(np.argmin(good))
        span = f"a whole number, {low}..{high}" if whole else f"a number, {low} to {high}"
        raise ValueError(f"{where} is {told[row]} in row {row}: allowed is {span}")
    return values.astype(np.int32 if whole else np.float32)


def write_columns(path: Path, columns: Mapping[str, Shaped[np.ndarray, " n"]]) -> None:
    """Writes a file that `read_columns` reads; float32 values are the same when read again."""
    as_text = [
        [f"{value:.{DIGITS}g}" for value in column.tolist()]
        if np.issubdtype(column.dtype, np.floating)
        else column.tolist()
        for column in columns.values()
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*as_text, strict=True))


def _numbers(told: Sequence[str] | np.ndarray) -> Float[np.ndarray, " n"]:
    """float64 [n], NaN for what is no number."""
    if isinstance(told, np.ndarray) and told.dtype.kind in "iuf":
        return told.astype(np.float64)
    return np.array([_number(text) for text in told], np.float64)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
