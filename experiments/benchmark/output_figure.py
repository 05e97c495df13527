"""Output figure: growth of time and memory, and fractions of the ceilings; readable in grey."""

from functools import partial
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import SMALLEST, new_figure, points, save_figure

COLUMNS = 2
LINES_HEIGHT, BAR_HEIGHT = 1.4, 0.13  # inches: of a plot of lines, and of a bar
TICKS = 6  # sizes with a number, at most
STYLES = [f"{mark}{line}" for mark, line in zip("os^vDPX*", cycle(("-", "--", ":")), strict=False)]
GREYS = ("0.0", "0.4", "0.65")
TIME, MEMORY = "time_ms", "peak_mib"
LABELS = {
    "lanes": "lanes",
    "size": "size",
    TIME: "milliseconds",
    MEMORY: "MiB per device",
    "share": "fraction of the ceiling",
}


class Panel(NamedTuple):
    """One plot of rows of the table.

    title: above the plot.
    rows:  of the table.
    x, y:  names of columns; the plot has lines, or bars if y is "variant".
    """

    title: str
    rows: pd.DataFrame
    x: str
    y: str


def save_benchmark_figure(table: pd.DataFrame, path: Path) -> None:
    """Draws the table and writes the files of `save_figure`."""
    caption = (
        f"Time and memory of every part, on {table.machine.iloc[0]}; shaded: fastest to slowest "
        "repeat. The ceiling is the rate of a large matrix product or of the copy of a large "
        "array; a fraction exceeds 1 where the arrays of a part fit into a cache, which is faster "
        "than the memory of the copy."
    )
    panels = [panel for panel in _panels(table) if not panel.rows.empty]
    save_figure(partial(_figure, panels), path, caption)


def _figure(panels: list[Panel]) -> Figure:
    lines = [panel for panel in panels if panel.y != "variant"]
    bars = [panel for panel in panels if panel.y == "variant"]
    rows = -(-len(lines) // COLUMNS)
    bars_height = BAR_HEIGHT * max((len(panel.rows) for panel in bars), default=0) + 0.6
    heights = [LINES_HEIGHT * rows, bars_height]
    figure = new_figure(sum(heights))
    upper, lower = figure.subfigures(2, 1, height_ratios=[max(height, 0.01) for height in heights])
    grid = upper.subplots(rows, COLUMNS, squeeze=False).ravel() if lines else []
    for axis in grid[len(lines) :]:
        axis.set_axis_off()
    for panel, axis in zip(lines, grid, strict=False):
        _lines(axis, panel)
    parts = lower.subfigures(1, len(bars), squeeze=False)[0] if bars else []
    for panel, part in zip(bars, parts, strict=True):
        _bars(part.subplots(), panel)
        part.suptitle(panel.title)
    return figure


def _panels(table: pd.DataFrame) -> list[Panel]:
    rows_of = lambda part: table[table.part == part]
    step, objective, growth = rows_of("step"), rows_of("objective"), rows_of("growth")
    beside = table[table.part.isin(["peer", "reference"]) & table[TIME].notna()]
    largest = table[table.share.notna()].groupby(["part", "variant"], sort=False).share.max()
    largest = largest.reset_index()
    largest = largest.assign(variant=largest.part + ": " + largest.variant)
    largest = largest[~largest.part.isin(["peer", "growth", "reference"])]
    return [
        Panel("time per lane-step, against lanes", step, "lanes", TIME),
        Panel("memory of training, against lanes", step, "lanes", MEMORY),
        Panel("time per lane-step of fast, against batch", _variant(growth, "batch"), "size", TIME),
        Panel("time of the objective, against batch", objective, "size", TIME),
        Panel("memory of the objective, against batch", objective, "size", MEMORY),
        Panel("time per lane-step of fast, against width", _variant(growth, "width"), "size", TIME),
        Panel("time per optimiser update, against width", rows_of("optimizer"), "size", TIME),
        Panel(
            "largest fraction of the device's ceiling\n(above 1: arrays fit into a cache)",
            largest,
            "share",
            "variant",
        ),
        Panel("time per lane-step, beside PyTorch", beside, TIME, "variant"),
    ]


def _variant(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    return rows[rows.variant == variant]


def _lines(axis, panel: Panel) -> None:
    variants = panel.rows.groupby("variant", sort=False)
    for (name, group), style, grey in zip(variants, cycle(STYLES), cycle(GREYS)):
        rows = group[group[panel.y].notna()]
        axis.plot(rows[panel.x], rows[panel.y], style, color=grey, label=name)
        if panel.y == TIME:
            axis.fill_between(rows[panel.x], rows.low, rows.high, color=grey, alpha=0.2, lw=0)
    axis.set(xscale="log", yscale="log")
    ticks = sorted(panel.rows[panel.x][panel.rows[panel.y].notna()].unique())
    ticks = ticks[:: max(1, -(-len(ticks) // TICKS))]
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_xticks([], minor=True)
    axis.set(xlabel=LABELS[panel.x], ylabel=LABELS[panel.y])
    count = len(axis.get_legend_handles_labels()[0])
    columns = 2 if count == 4 else 3
    place = dict(loc="lower center", bbox_to_anchor=(0.5, 0.96), borderaxespad=0)
    axis.legend(fontsize=points(SMALLEST), ncols=columns, labelspacing=0.2, **place)
    axis.set_title(panel.title, pad=points(4 + 9.5 * -(-count // columns)))


def _bars(axis, panel: Panel) -> None:
    rows = panel.rows[panel.rows[panel.x].notna()]
    axis.barh(rows.variant, rows[panel.x], color="0.75", edgecolor="0.0")
    axis.set_xscale("log")
    axis.invert_yaxis()
    axis.bar_label(axis.containers[0], fmt=_short_number, fontsize=points(SMALLEST), padding=2)
    axis.margins(x=0.35, y=0.02)
    axis.set_xlabel(LABELS[panel.x])
    if panel.x == "share":
        axis.axvline(1, color="0.0", lw=points(0.8), ls=":", zorder=0)


def _short_number(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"
