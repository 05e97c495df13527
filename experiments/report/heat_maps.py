"""Heat maps of settings by targets, readable in grey."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure
from experiments.report.figure_text import plain_text
from experiments.report.tables import brief

CELL = 0.36  # inches
SHORT = 4  # letters of a target's name that fit in a cell's width
TARGET_SYMBOLS = {"m_x": "$m_x$", "m_t": "$m_t$", "rep": "rep"}


class Scale(NamedTuple):
    """Colours and text of values: limits, colour map, text, and values that need white text."""

    low: float
    high: float
    colours: str
    write: Callable[[float], str]
    dark: Callable[[float], bool]


class Panel(NamedTuple):
    """One heat map: its title and its cells, one row per setting and one column per target."""

    title: str
    cells: pd.DataFrame


def _signed(value: float) -> str:
    """A difference in hundredths: "+3", "-12"; "" for less than half of one."""
    return "" if abs(value) < 0.005 else f"{100 * value:+.0f}"


SCORES = Scale(0.0, 1.0, "viridis", brief, lambda value: value < 0.6)
DIFFERENCES = Scale(-0.1, 0.1, "RdBu_r", _signed, lambda value: abs(value) > 0.06)


def save_heat_maps(
    rows: Sequence[Sequence[Panel]], path: Path, label: str, scale: Scale = SCORES
) -> None:
    """Draws rows of panels with one colour bar, as PNG at `path` and as PDF beside it.

    Panels of a row share their settings, panels of a column their targets.
    """
    heights = [len(row[0].cells) for row in rows]
    widths = [panel.cells.shape[1] for panel in rows[0]]
    figure = Figure(
        figsize=(CELL * sum(widths) + 3.2, CELL * sum(heights) + 1.2 * len(rows) + 0.4),
        layout="constrained",
    )
    axes = figure.subplots(
        len(rows), len(widths), squeeze=False, height_ratios=heights, width_ratios=widths
    )
    for row, line in zip(rows, axes, strict=True):
        for panel, axis in zip(row, line, strict=True):
            image = _draw(axis, panel, scale, named=axis is line[0])
    figure.colorbar(image, ax=axes, label=label, fraction=0.02, pad=0.01)
    save_figure(figure, path)


def target_label(target: str) -> str:
    """Returns the name of a target in figures: s10 with a subscript; other names as they are."""
    name, *further = target.split(" ")
    numbered = re.fullmatch("([A-Za-z])([0-9]+)", name)
    sign = f"${numbered[1]}_{{{numbered[2]}}}$" if numbered else plain_text(name)
    sign = TARGET_SYMBOLS.get(name, sign)
    return "\n".join([sign, *map(plain_text, further)])


def _draw(axis, panel: Panel, scale: Scale, named: bool):
    values = panel.cells.to_numpy(float)
    shown = np.clip(values, scale.low, scale.high)
    image = axis.imshow(shown, vmin=scale.low, vmax=scale.high, cmap=scale.colours, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        ink = "white" if scale.dark(value) else "black"
        text = scale.write(value) if np.isfinite(value) else "–"
        axis.text(column, row, text, ha="center", va="center", fontsize=7, color=ink)
    labels = [target_label(target) for target in panel.cells.columns]
    rotation = (
        90 if any(not label.startswith("$") and len(label) > SHORT for label in labels) else 0
    )
    axis.set_xticks(range(values.shape[1]), labels, rotation=rotation)
    names = list(panel.cells.index) if named else []
    axis.set_yticks(range(len(names)), map(plain_text, names))
    axis.tick_params(length=0, labelsize=8)
    axis.set_title(plain_text(panel.title), fontsize=8)
    return image
