"""Heat map layout: how panels are arranged on a page, with which labels and how large."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import pandas as pd
from rich.cells import cell_len

from experiments.report.figure_files import COLUMN_WIDTH, TEXT_WIDTH
from experiments.report.figure_text import AFTER_COMMA, AFTER_WORD, LONGEST, broken_text

CELL = 0.19  # inches across, for a number of four characters
LINE, NEXT_LINE = 0.135, 0.115  # inches down, for a line of text and for each further one
VERTICAL = 0.1  # inches across, for a name that is vertical
LETTER = 0.058  # inches, of a label
MOST_COLUMNS, MOST_IN_STRIP = 24, 48  # side by side: with numbers, and without
MOST_HEIGHT = 8.5  # inches of a figure with numbers, for a page
HEADER_LETTERS = 12  # in a line of a name of a column that is horizontal, at most
MOST_IN_LINE = 48  # letters of a name of a row, even if it has no place to break
BAR, MARGIN = 0.5, 0.15  # inches of the colour bar, and beside the panels

Tables = Sequence[Sequence[pd.DataFrame]]
Lines = list[list[tuple[int, int]]]  # row and column of each panel, line by line


class Layout(NamedTuple):
    """The arrangement of panels on a page.

    lines:         row and column of each panel, line by line.
    numbered:      whether cells contain numbers.
    upright:       whether names of columns are horizontal.
    every:         one of so many columns has a name.
    title:         letters per line of a title.
    width, height: of the figure, in inches.
    heights:       of the panels of each line, in proportion.
    """

    lines: Lines
    numbered: bool
    upright: bool
    every: int
    title: int
    width: float
    height: float
    heights: list[float]


def choose_layout(tables: Tables) -> Layout:
    """Returns the layout of rows of panels with these cells.

    It is the first that fits of: as given in one column of a page; across the page as given, with
    rows and columns exchanged, or with each row divided; with horizontal, then with vertical names
    of columns. If none fits, as with more than MOST_COLUMNS in one panel, panels are strips: cells
    without numbers.
    """
    given = [[(row, column) for column in range(len(tables[row]))] for row in range(len(tables))]
    fitting = (
        layout
        for upright in (True, False)
        for width in (COLUMN_WIDTH, TEXT_WIDTH)
        for lines in _arrangements(tables, _columns_per_line(tables, upright, width))
        if width == TEXT_WIDTH or lines == given
        if (layout := _layout(tables, lines, upright, width)).height <= MOST_HEIGHT
    )
    strips = next(_arrangements(tables, max(MOST_IN_STRIP, _widest(tables))))
    return next(fitting, _layout(tables, strips, upright=False, width=TEXT_WIDTH, numbered=False))


def row_text(name: str) -> str:
    """Returns the name of a row, on as many lines as it needs."""
    text = broken_text(name, LONGEST, AFTER_COMMA)
    return re.sub(rf"([^\n]{{{MOST_IN_LINE}}})(?=[^\n])", r"\1\n", text)


def header_text(name: str, upright: bool) -> str:
    """Returns the name of a column, on as many lines as it needs if it is horizontal."""
    return broken_text(name, HEADER_LETTERS, AFTER_WORD) if upright else name


def _arrangements(tables: Tables, most: int) -> Iterator[Lines]:
    """Yields the arrangements with up to `most` columns side by side."""
    rows, columns = len(tables), len(tables[0])
    fitting = most // _widest(tables)  # panels
    if columns <= fitting:
        yield [[(row, column) for column in range(columns)] for row in range(rows)]
    elif rows > 1 and rows <= fitting:
        yield [[(row, column) for row in range(rows)] for column in range(columns)]
    elif fitting:
        size = max(size for size in range(1, fitting + 1) if columns % size == 0)
        yield [
            [(row, column) for column in range(begin, begin + size)]
            for row in range(rows)
            for begin in range(0, columns, size)
        ]


def _widest(tables: Tables) -> int:
    return max(cells.shape[1] for row in tables for cells in row)


def _columns_per_line(tables: Tables, upright: bool, width: float) -> int:
    room = width - MARGIN - LETTER * _longest(_lines_of(map(row_text, _names(tables, 0))))
    headers = (_symbols(header_text(name, upright)) for name in _names(tables, 1))
    longest = _longest(_lines_of(headers))
    if upright and longest > HEADER_LETTERS:
        return 0
    cell = max(CELL, LETTER * (longest + 0.7)) if upright else CELL
    return max(0, min(MOST_COLUMNS, int(room / cell)))


def _layout(
    tables: Tables, lines: Lines, upright: bool, width: float, *, numbered: bool = True
) -> Layout:
    panels = [[tables[row][column] for row, column in line] for line in lines]
    heights = [max(map(_rows_height, line)) for line in panels]
    names = LETTER * _longest(_lines_of(map(row_text, _names(tables, 0))))
    across = max(sum(cells.shape[1] for cells in line) for line in panels)
    cell = max(width - MARGIN - names, 1) / across
    headers = [_symbols(header_text(name, upright)) for name in _names(tables, 1)]
    header = LINE * max(1 + text.count("\n") for text in headers)
    every = 1
    if not upright:
        header = LETTER * _longest(headers)
        every = math.ceil(VERTICAL / cell)
    title = max(8, int(cell * across / len(panels[0]) / LETTER))
    height = sum(heights) + 0.42 * len(lines) + header + BAR
    return Layout(lines, numbered, upright, every, title, width, height, heights)


def _symbols(name: str) -> str:
    """A name as wide as its symbol: two letters for s10, which has a subscript."""
    return re.sub(r"^([A-Za-z]\d+|m_[xt])(?= |$)", "s1", name)


def _rows_height(cells: pd.DataFrame) -> float:
    further = max((row_text(name).count("\n") for name in cells.index), default=0)
    return len(cells) * (LINE + NEXT_LINE * further)


def _names(tables: Tables, axis: int) -> list[str]:
    return [str(name) for row in tables for cells in row for name in cells.axes[axis]]


def _lines_of(texts: Iterable[str]) -> Iterator[str]:
    return (line for text in texts for line in text.split("\n"))


def _longest(lines: Iterable[str]) -> int:
    return max(map(cell_len, lines), default=0)
