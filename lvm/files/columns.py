"""Columns: tables in CSV files with a header line. Rows count from 0."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

# Allowed values of a column: integers from 0 to below a number; numbers from a lowest to a highest
# one; or (None) words.
Allowed = int | tuple[float, float] | None

DIGITS = 9  # enough to distinguish any two float32 numbers


def read_columns(path: Path, required: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Returns all columns of a file as text, by name.

    Raises ValueError, with the file, if it cannot be read, for a row that is longer or shorter than
    the header and for a required column that is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = [row for row in csv.reader(file, strict=True) if row] or [[]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    for name in required:
        if name not in header:
            found = ", ".join(header) or "none"
            raise ValueError(f"{path} has no column {name}: its columns are {found}")
    for index, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(
                f"{path}: row {index} has {len(row)} fields: allowed is {len(header)}, as in the "
                "header"
            )
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return dict(zip(header, columns, strict=True))


def check_column(
    where: str, column: Sequence[str] | Shaped[np.ndarray, " n"], allowed: Allowed
) -> Shaped[np.ndarray, " n"]:
    """Returns a column as int32, float32 or words [n], as `allowed` requires.

    Raises ValueError that begins with `where` for a value that is not a number, is NaN or is out of
    range.
    """
    if allowed is None:
        return np.asarray(column, str)
    is_integer = isinstance(allowed, int)
    low, high = (0, allowed - 1) if is_integer else allowed
    values = _numbers(column)
    good = (low <= values) & (values <= high)  # False for NaN
    if is_integer:
        good &= values == np.round(values)
    if not good.all():
        row = int(np.argmin(good))
        span = f"an integer, {low}..{high}" if is_integer else f"a number, {low} to {high}"
        raise ValueError(f"{where} is {column[row]} in row {row}: allowed is {span}")
    return values.astype(np.int32 if is_integer else np.float32)


def write_columns(path: Path, columns: Mapping[str, Shaped[np.ndarray, " n"]]) -> None:
    """Writes a file that `read_columns` reads; float32 values round-trip exactly."""
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


def _numbers(column: Sequence[str] | np.ndarray) -> Float[np.ndarray, " n"]:
    """Returns the values as float64 [n], NaN where a value is not a number."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iuf":
        return column.astype(np.float64)
    return np.array([_number(text) for text in column], np.float64)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
