"""Text rows: lines and table rows of text files of any size, with their line numbers."""

import csv
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from lvm.files.texts import open_text

TABLES = (".csv", ".tsv")
GZIP = ".gz"
MAX_NAME_LENGTH = 60  # letters of a column's name that an error message contains

OnProgress = Callable[[float], None]  # called with the fraction of a file that has been read


def ignore_progress(fraction: float) -> None:
    """Does nothing; the default `on_progress` of readers."""
    del fraction


def read_lines(path: Path, on_progress: OnProgress = ignore_progress) -> Iterator[tuple[int, str]]:
    """Yields (number, line) for the lines of a UTF-8 file; numbers from 1, lines with their ends.

    Raises ValueError, with the line, as `lvm.files.texts.open_text` does.
    """
    return enumerate(open_text(path, on_progress), 1)


def read_cells(
    path: Path, on_progress: OnProgress = ignore_progress
) -> Iterator[tuple[int, list[str]]]:
    """Yields (line, cells) for the rows of a .csv or .tsv file; no cells for an empty row.

    `line` is the number of the last line of the row. Quotation marks in a .tsv file are ordinary
    letters.

    Raises ValueError as `read_lines` does, and for a quoted field without an end.
    """
    lines = read_lines(path, on_progress)
    if suffix_of(path).removesuffix(GZIP) == ".tsv":
        for number, line in lines:
            text = line.rstrip("\r\n")
            yield number, text.split("\t") if text else []
        return
    rows = csv.reader((line for _, line in lines), strict=True)
    try:
        for cells in rows:
            yield rows.line_num, cells
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {rows.line_num}: {error}; look for an unclosed quotation mark up to "
            "there"
        ) from None


def read_table(
    path: Path, on_progress: OnProgress = ignore_progress
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Returns the column names of a .csv or .tsv file (or .gz of it), and rows of `read_cells`.

    Raises ValueError for a file with another suffix and for one without a first row.
    """
    check_suffix(path, (*TABLES, *(suffix + GZIP for suffix in TABLES)))
    rows = read_cells(path, on_progress)
    _, names = next(rows, (0, []))
    if not names:
        raise ValueError(f"{path} has no columns: its first line is empty")
    return [name.strip() for name in names], rows


def cell(path: Path, line: int, cells: list[str], column: int) -> str:
    """Returns the cell of a row at a column index, "" in an empty row.

    Raises ValueError if the row has too few columns.
    """
    if not cells:
        return ""
    if column >= len(cells):
        raise ValueError(
            f"{path}, line {line} has {len(cells)} columns: allowed is {column + 1} or more, or an "
            "empty line"
        )
    return cells[column]


def check_suffix(path: Path, suffixes) -> None:
    """Raises ValueError if the path ends in none of the suffixes."""
    if suffix_of(path) not in suffixes:
        raise ValueError(f"{path} ends in {suffix_of(path)!r}: allowed is {', '.join(suffixes)}")


def suffix_of(path: Path) -> str:
    """Returns the suffix of a path in lower case, with that before .gz: ".csv.gz"."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [GZIP] else suffixes[-1:])


def listed(names: Iterable[str]) -> str:
    """Returns the names of columns for an error message, long ones shortened."""
    shortened = (
        name if len(name) <= MAX_NAME_LENGTH else name[:MAX_NAME_LENGTH] + "…" for name in names
    )
    return ", ".join(map(repr, shortened)) or "empty"
