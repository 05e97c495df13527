"""Figure: how time and memory grow, and how near the ceilings they come; readable in grey."""

from itertools import cycle
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure

COLUMNS = 3
STYLES = [f"{mark}{line}" for mark, line in zip("os^vDPX*", cycle(("-", "--", ":")), strict=False)]
INKS = ("0.0", "0.4", "0.65")
TIME, MEMORY = "time_ms", "peak_mib"
LABELS = {
    "lanes": "lanes",
    "size": "size",
    TIME: "milliseconds",
    MEMORY: "MiB of a device",
    "share": "share of the device's ceiling",
}


class Panel(NamedTuple):
    """One plot: rows of the table, and columns across and up; bars where that is their variant."""

    title: str
    rows: pd.DataFrame
    x: str
    y: str


def save_benchmark_figure(table: pd.DataFrame, path: Path) -> None:
    """Draws what was measured, a panel a question, as PNG at `path` and as PDF beside it."""
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
    of = lambda part: table[table.part == part]
    step, objective, grown = of("step"), of("objective"), of("growth")
    largest = table[table.share.notna()].groupby(["part", "variant"], sort=False).share.max()
    largest = largest.reset_index()
    largest = largest.assign(variant=largest.part + ": " + largest.variant)
    chosen = largest[~largest.part.isin(["peer", "growth"])]
    return [
        Panel("a lane-step", step, "lanes", TIME),
        Panel("memory of training", step, "lanes", MEMORY),
        Panel("a lane-step by fast, against batch", _only(grown, "batch"), "size", TIME),
        Panel("objective, against batch", objective, "size", TIME),
        Panel("memory of the objective, against batch", objective, "size", MEMORY),
        Panel("a lane-step by fast, against width", _only(grown, "width"), "size", TIME),
        Panel("an update by an optimiser, against width", of("optimizer"), "size", TIME),
        Panel("largest share of the ceiling", chosen, "share", "variant"),
        Panel("a lane-step, ours and the peer's", of("peer"), TIME, "variant"),
    ]


def _only(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    return rows[rows.variant == variant]


def _lines(axis, panel: Panel) -> None:
    variants = panel.rows.groupby("variant", sort=False)
    for (name, group), style, ink in zip(variants, cycle(STYLES), cycle(INKS)):
        rows = group[group[panel.y].notna()]
        axis.plot(rows[panel.x], rows[panel.y], style, color=ink, ms=4, lw=1, label=name)
        if panel.y == TIME:
            axis.fill_between(rows[panel.x], rows.low, rows.high, color=ink, alpha=0.2, lw=0)
    axis.set(xscale="log", yscale="log")
    there = sorted(panel.rows[panel.x][panel.rows[panel.y].notna()].unique())
    axis.set_xticks(there, [f"{size:,}" for size in there])
    axis.set_xticks([], minor=True)
    axis.set_ylabel(LABELS[panel.y], fontsize=8)
    axis.legend(fontsize=6, frameon=False)


def _bars(axis, panel: Panel) -> None:
    rows = panel.rows[panel.rows[panel.x].notna()]
    axis.barh(rows.variant, rows[panel.x], color="0.6", edgecolor="0.0", lw=0.6)
    axis.set_xscale("log")
    axis.invert_yaxis()
    axis.bar_label(axis.containers[0], fmt=_brief, fontsize=6, padding=2)
    axis.margins(x=0.15)


def _brief(value: float) -> str:
    return f"{value:.2g}" if value < 100 else f"{value:,.0f}"
