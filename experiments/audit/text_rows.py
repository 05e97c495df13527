"""Rows: text files of any size, a line at a time, with where each row stands."""

import codecs
import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

LONGEST = 2**24  # bytes of a line
EVERY = 2**14  # lines between two reports of progress
TABLES = (".csv", ".tsv")

Seen = Callable[[float], None]  # called with the share of a file that was read


def unseen(share: float) -> None:
    """For readers whose progress nobody watches."""
    del share


def read_lines(path: Path, seen: Seen = unseen) -> Iterator[tuple[int, str]]:
    """The lines of a UTF-8 file with their ends, numbered from 1.

    Raises ValueError, with the line, for other encodings and for what is no text.
    """
    size, done = max(1, path.stat().st_size), 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST), b""), 1):
            yield number, _decode(path, number, line)
            done += len(line)
            if number % EVERY == 0:
                seen(done / size)


def read_cells(path: Path, seen: Seen = unseen) -> Iterator[tuple[int, list[str]]]:
    """The rows of a .csv or .tsv file, [] for an empty one, with the line that each ends on.

    In a .tsv file quotation marks mean nothing. Raises ValueError as `read_lines` does, and for a
    field that no quotation mark ends.
    """
    lines = read_lines(path, seen)
    if path.suffix.lower() == ".tsv":
        for number, line in lines:
            text = line.rstrip("\r\n")
            yield number, text.split("\t") if text else []
        return
    rows = csv.reader(line for _, line in lines)
    try:
        for cells in rows:
            yield rows.line_num, cells
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {rows.line_num}: {error}; is a quotation mark left open before?"
        ) from None


def read_table(
    path: Path, seen: Seen = unseen
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The names of the columns of a .csv or .tsv file, and its rows as `read_cells` gives them.

    Raises ValueError for a file of another kind and one without a row.
    """
    refuse_others(path, TABLES)
    rows = read_cells(path, seen)
    _, names = next(rows, (0, []))
    if not names:
        raise ValueError(f"{path} has no columns: its first line is empty")
    return [name.strip() for name in names], rows


def cell(path: Path, line: int, cells: list[str], place: int) -> str:
    """The cell of a row at a place, "" in an empty row; ValueError if the row ends before."""
    if not cells:
        return ""
    if place >= len(cells):
        raise ValueError(
            f"{path}, line {line} has {len(cells)} columns: allowed is {place + 1} or more, or an "
            "empty line"
        )
    return cells[place]


def refuse_others(path: Path, suffixes) -> None:
    """Raises ValueError for a file whose name has none of the suffixes."""
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"{path} ends in {path.suffix!r}: allowed is {', '.join(suffixes)}")


def _decode(path: Path, number: int, line: bytes) -> str:
    if b"\0" in line:
        raise ValueError(
            f"{path}, line {number} holds a zero byte: it is no UTF-8 text; unpack it if it is "
            "packed, convert it if it is UTF-16"
        )
    if len(line) == LONGEST:
        raise ValueError(f"{path}, line {number} is longer than {LONGEST} bytes: it is no caption")
    if number == 1:
        line = line.removeprefix(codecs.BOM_UTF8)
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}, line {number} is not UTF-8: byte 0x{line[error.start]:02x} at place "
            f"{error.start + 1}; convert it first (iconv -f latin1 -t utf-8), or unpack it if it "
            "is packed"
        ) from None
