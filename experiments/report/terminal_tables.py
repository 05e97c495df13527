"""Terminal tables: tables that fit the width of a terminal, or 80 columns of a file."""

import io
from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import NamedTuple

import pandas as pd
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 80  # columns of a file, and of text that is written for both
GAP = 2  # columns between two cells
MIN_TEXT = 24  # least width of a column of text, whose longer cells are wrapped


class Column(NamedTuple):
    """A column: its name, its cells, and whether they are text, which may be wrapped."""

    name: str
    cells: list[str]
    is_text: bool


def print_table(console: Console, columns: Sequence[Column], keys: int = 1) -> None:
    """Prints columns as one table, or as several below one another that repeat the first `keys`.

    Text is wrapped to the width of the console, and names of columns of numbers if the table would
    be wider. No number is broken: a table of a key and one column of numbers may be wider.
    """
    if sum(map(_least_width, columns)) > console.width + GAP:
        columns = list(map(_with_wrapped_name, columns))
    for group in _groups(columns, keys, console.width):
        table = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0))
        for column in group:
            justify = "left" if column.is_text else "right"
            style = dict(justify=justify, no_wrap=not column.is_text, overflow="fold")
            table.add_column(Text(column.name), vertical="bottom", **style)
        for row in zip(*(column.cells for column in group), strict=True):
            table.add_row(*map(Text, row))  # as it is, without markup
        console.print(table)


def table_text(columns: Sequence[Column], keys: int = 1) -> str:
    """Returns the text that `print_table` prints in WIDTH columns."""
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    print_table(console, columns, keys)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def frame_columns(table: pd.DataFrame, float_format: str = "%.3f") -> list[Column]:
    """Returns the columns of a data frame; numbers of type float are written in `float_format`."""
    return [
        Column(name, _cells(table[name], float_format), _is_text(table[name])) for name in table
    ]


def _cells(values: pd.Series, float_format: str) -> list[str]:
    if not pd.api.types.is_float_dtype(values):
        return [str(value) for value in values]
    return ["NaN" if pd.isna(value) else float_format % value for value in values]


def _is_text(values: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(values)


def _with_wrapped_name(column: Column) -> Column:
    if column.is_text:
        return column
    width = max(map(cell_len, (*column.name.split(), *column.cells)))
    return column._replace(name=fill(column.name, width))


def _groups(columns: Sequence[Column], keys: int, width: int) -> Iterator[list[Column]]:
    """The columns of each table: as many as fit beside the keys, at least one."""
    group = list(columns[:keys])
    for column in columns[keys:]:
        if len(group) > keys and sum(map(_least_width, [*group, column])) > width + GAP:
            yield group
            group = list(columns[:keys])
        group.append(column)
    yield group


def _least_width(column: Column) -> int:
    widths = [cell_len(text) for text in (*column.name.split("\n"), *column.cells)]
    return GAP + (min(max(widths), MIN_TEXT) if column.is_text else max(widths))
