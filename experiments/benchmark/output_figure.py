"""Output figure: growth of time and memory, and fractions of the ceilings; readable in grey."""

from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure

COLUMNS = 3
STYLES = [f"{mark}{line}" for mark, line in zip("os^vDPX*", cycle(("-", "--", ":")), strict=False)]
GREYS = ("0.0", "0.4", "0.65")
TIME, MEMORY = "time_ms", "peak_mib"
LABELS = {
    "lanes": "lanes",
    "size": "size",
    TIME: "milliseconds",
    MEMORY: "MiB per device",
    "share": "fraction of the device's ceiling",
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
    """Writes a figure of the table, as PNG at `path` and as PDF beside it."""
    panels = [panel for panel in _panels(table) if not panel.rows.empty]
    columns = max(1, min(COLUMNS, len(panels)))
    lines = max(1, -(-len(panels) // columns))
    figure = Figure(figsize=(4.4 * columns, 3.4 * lines), layout="constrained")
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for axis in axes[len(panels) :]:
        axis.set_axis_off()
    for panel, axis in zip(panels, axes, strict=False):
        draw = _bars if panel.y == "variant" else _lines
        draw(axis, panel)
        axis.set_title(panel.title, fontsize=9)
        axis.tick_params(labelsize=7)
        axis.set_xlabel(LABELS[panel.x], fontsize=8)
    save_figure(figure, path)


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
        Panel("largest fraction of the ceiling", largest, "share", "variant"),
        Panel("time per lane-step, beside PyTorch", beside, TIME, "variant"),
    ]


def _variant(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    return rows[rows.variant == variant]


def _lines(axis, panel: Panel) -> None:
    variants = panel.rows.groupby("variant", sort=False)
    for (name, group), style, grey in zip(variants, cycle(STYLES), cycle(GREYS)):
        rows = group[group[panel.y].notna()]
        axis.plot(rows[panel.x], rows[panel.y], style, color=grey, ms=4, lw=1, label=name)
        if panel.y == TIME:
            axis.fill_between(rows[panel.x], rows.low, rows.high, color=grey, alpha=0.2, lw=0)
    axis.set(xscale="log", yscale="log")
    ticks = sorted(panel.rows[panel.x][panel.rows[panel.y].notna()].unique())
    axis.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axis.set_xticks([], minor=True)
    axis.set_ylabel(LABELS[panel.y], fontsize=8)
    axis.legend(fontsize=6, frameon=False)


def _bars(axis, panel: Panel) -> None:
    rows = panel.rows[panel.rows[panel.x].notna()]
    axis.barh(rows.variant, rows[panel.x], color="0.6", edgecolor="0.0", lw=0.6)
    axis.set_xscale("log")
    axis.invert_yaxis()
    axis.bar_label(axis.containers[0], fmt=_short_number, fontsize=6, padding=2)
    axis.margins(x=0.15)


def _short_number(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"
