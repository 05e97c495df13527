"""Columns: tables in CSV files with a header line. Rows count from 0."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Shaped

from lvm.files.texts import open_text

# Allowed values of a column: integers from 0 to below a number; numbers from a lowest to a highest
# one; or (None) words.
Allowed = int | tuple[float, float] | None

DIGITS = 9  # enough to distinguish any two float32 numbers


def read_columns(path: Path, required: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Returns all columns of a file as text, by name; empty lines are ignored.

    Raises ValueError, with the file and, where there is one, the line, if it cannot be read, for a
    quote that is not closed on its line, for a row that is longer or shorter than the header, for
    two columns of one name and for a required column that is missing.
    """
    lines, rows = _read_rows(path)
    header = rows.pop(0) if rows else []
    for name, number in Counter(header).items():
        if number > 1:
            raise ValueError(f"{path} has {number} columns {name}: allowed is one")
    for name in required:
        if name not in header:
            found = ", ".join(header) or "none"
            raise ValueError(f"{path} has no column {name}: its columns are {found}")
    for index, row in enumerate(rows):
        if len(row) != len(header):
            raise ValueError(
                f"{path}: row {index} has {len(row)} fields: allowed is {len(header)}, as in the "
                f"header; see line {lines[index + 1]}"
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


def _read_rows(path: Path) -> tuple[list[int], list[list[str]]]:
    """Returns the numbers, from 1, of the lines that are not empty, and their fields."""
    lines: list[int] = []
    rows: list[list[str]] = []
    reader = csv.reader(open_text(path), strict=True)
    line = 1
    try:
        for row in reader:
            if reader.line_num != line:
                raise csv.Error("a quote is not closed")
            if row:
                lines.append(line)
                rows.append(row)
            line += 1
    except csv.Error as error:
        raise ValueError(f"{path} cannot be read: line {line}: {error}") from error
    return lines, rows


def _numbers(column: Sequence[str] | np.ndarray) -> Float[np.ndarray, " n"]:
    """Returns the values as float64 [n], NaN where a value is not a number."""
    if isinstance(column, np.ndarray) and column.dtype.kind in "iuf":
        return column.astype(np.float64)
    return np.array([_number(text) for text in column], np.float64)


def _number(text: str) -> float:
    try:
        return float(text) if text.isascii() and "_" not in text else np.nan
    except ValueError:
        return np.nan
