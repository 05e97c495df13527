"""Heat maps of settings by targets, readable in grey."""

import math
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import PRINT, Style, new_figure, points, save_figure
from experiments.report.figure_text import plain_text
from experiments.report.heat_map_layout import Layout, choose_layout, header_text, row_text

NUMBERS = ("STIXGeneral", "DejaVu Sans")  # narrow digits, so that 24 columns fit on a page
NUMBER_SIZE = 6.6  # points
LIGHT = 0.45  # luminance from which on a colour needs black text
LIMITS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of scales of differences
TARGET_SYMBOLS = {"m_x": "$m_x$", "m_t": "$m_t$"}


class Scale(NamedTuple):
    """Colours and text of values: limits, colour map, and text of a value with decimals."""

    low: float
    high: float
    colours: str
    write: Callable[[float, int], str]


class Panel(NamedTuple):
    """One heat map: its title, its cells, one row per setting and one column per target, and the
    decimals of their numbers.
    """

    title: str
    cells: pd.DataFrame
    decimals: int = 2


def _number(value: float, decimals: int) -> str:
    return f"{round(value, decimals) + 0.0:.{decimals}f}"  # 0.00, not -0.00


SCORES = Scale(0.0, 1.0, "viridis", _number)


def difference_scale(largest: float) -> Scale:
    """Returns a scale of differences up to `largest`, written in hundredths: "+3", "-0.4".

    Numbers have a decimal if the scale is below 0.1; those that are rounded to 0 are left out.
    """
    limit = next((limit for limit in LIMITS if largest <= limit), math.ceil(largest))
    decimals = 1 if limit < 0.1 else 0

    def write(value: float, _: int) -> str:
        hundredths = round(100 * value, decimals)
        return f"{hundredths:+.{decimals}f}" if hundredths else ""

    return Scale(-limit, limit, "RdBu_r", write)


def save_heat_maps(
    rows: Sequence[Sequence[Panel]],
    path: Path,
    label: str,
    caption: str,
    *,
    scale: Scale = SCORES,
    style: Style = PRINT,
) -> None:
    """Draws rows of panels with one colour bar; writes the files of `save_figure`.

    Panels of a row share their settings, panels of a column their targets. Where a row is wider
    than a page, rows and columns are exchanged or divided; `choose_layout` has the rules.
    """
    layout = choose_layout([[panel.cells for panel in row] for row in rows])
    note = _note([panel for row in rows for panel in row], scale, layout)
    draw = partial(_figure, rows, layout, label, scale)
    save_figure(draw, path, " ".join([caption, *note]), style)


def target_label(target: str) -> str:
    """Returns the name of a target in figures: s10 with a subscript; other names as they are."""
    name, *further = target.split(" ")
    numbered = re.fullmatch("([A-Za-z])([0-9]+)", name)
    symbol = f"${numbered[1]}_{{{numbered[2]}}}$" if numbered else TARGET_SYMBOLS.get(name)
    return "\n".join([symbol, *map(plain_text, further)]) if symbol else plain_text(target)


def cell_text(value: float, scale: Scale, decimals: int = 2) -> str:
    """Returns the number of a cell; "<0" or ">1" beyond the scale, "–" for none."""
    if not np.isfinite(value):
        return "–"
    rounded = round(value, decimals)
    if rounded < scale.low:
        return f"<{scale.low:g}"
    return f">{scale.high:g}" if rounded > scale.high else scale.write(value, decimals)


def _figure(rows, layout: Layout, label: str, scale: Scale) -> Figure:
    lines = [[rows[row][column] for row, column in line] for line in layout.lines]
    figure = new_figure(layout.height, layout.width)
    axes = figure.subplots(len(lines), len(lines[0]), squeeze=False, height_ratios=layout.heights)
    for index, line in enumerate(lines):
        for position, panel in enumerate(line):
            axis = axes[index, position]
            image = _draw(axis, panel, scale, layout)
            below = lines[index + 1][position] if index + 1 < len(lines) else None
            if below is None or list(below.cells.columns) != list(panel.cells.columns):
                _name_columns(axis, panel.cells, layout)
            if not position or list(line[position - 1].cells.index) != list(panel.cells.index):
                axis.set_yticks(
                    range(len(panel.cells)), [plain_text(row_text(n)) for n in panel.cells.index]
                )
    low, high = _beyond([panel for row in rows for panel in row], scale)
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}[low, high]
    figure.colorbar(
        image, ax=axes, label=label, location="bottom", shrink=0.6, aspect=40, pad=0.015,
        extend=extend,
    )  # fmt: skip
    return figure


def _draw(axis, panel: Panel, scale: Scale, layout: Layout):
    values = panel.cells.to_numpy(float)
    shown = np.clip(values, scale.low, scale.high)
    image = axis.imshow(
        shown, vmin=scale.low, vmax=scale.high, cmap=scale.colours, aspect="auto", rasterized=False
    )
    if layout.numbered:
        size = points(NUMBER_SIZE)
        for (row, column), value in np.ndenumerate(values):
            text, ink = cell_text(value, scale, panel.decimals), _ink(shown[row, column], scale)
            axis.text(
                column, row, text, color=ink, ha="center", va="center_baseline", fontsize=size,
                family=NUMBERS,
            )  # fmt: skip
    axis.set(xticks=[], yticks=[])
    axis.tick_params(length=0)
    axis.set_title("\n".join(fill(line, layout.title) for line in _plain_lines(panel.title)))
    return image


def _plain_lines(title: str) -> list[str]:
    return plain_text(title).split("\n")


def _name_columns(axis, cells: pd.DataFrame, layout: Layout) -> None:
    labels = [target_label(header_text(target, layout.upright)) for target in cells.columns]
    ticks = range(0, len(labels), layout.every)
    rotation = 0 if layout.upright else 90
    axis.set_xticks(ticks, [labels[tick] for tick in ticks], rotation=rotation)


def _ink(value: float, scale: Scale) -> str:
    if not np.isfinite(value):
        return "black"
    fraction = (value - scale.low) / (scale.high - scale.low)
    red, green, blue, _ = mpl.colormaps[scale.colours](fraction)
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > LIGHT else "white"


def _beyond(panels: Sequence[Panel], scale: Scale) -> tuple[bool, bool]:
    """Whether some cell is written as "<low", and whether one is as ">high"."""
    texts = {
        cell_text(value, scale, panel.decimals)[0]
        for panel in panels
        for value in panel.cells.to_numpy(float).ravel()
        if np.isfinite(value) and not scale.low <= value <= scale.high
    }
    return "<" in texts, ">" in texts


def _note(panels: Sequence[Panel], scale: Scale, layout: Layout) -> list[str]:
    """Sentences of the caption on cells beyond the scale, and on cells without numbers."""
    low, high = _beyond(panels, scale)
    values = pd.Series(np.concatenate([panel.cells.to_numpy(float).ravel() for panel in panels]))
    notes = [f"<{scale.low:g}: lower values, down to {values.min():,.4g}."] * low
    notes += [f">{scale.high:g}: higher values, up to {values.max():,.4g}."] * high
    return notes + ["Too many cells for numbers."] * (not layout.numbered)
