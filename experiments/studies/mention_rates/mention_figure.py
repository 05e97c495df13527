"""Mention figure: zero-shot score against mention rate, one row per run, measured and predicted."""

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.report.figure_files import save_figure
from experiments.report.figure_text import plain_text
from experiments.studies.mention_rates.comparison import (
    WITHIN,
    Correlations,
    cells,
    correlations,
)
from experiments.studies.mention_rates.mention_table import EXACT, FIXED, SPARE
from lvm.captions.omission import OMISSIONS

TITLES = {
    EXACT: "columns for the factors\nthat are always mentioned",
    SPARE: "columns for all factors",
}
WIDTH = 5.5  # inches, of a page with one column of text
STYLES = dict(  # distinguishable with colour blindness; by marker and line, in grey as well
    zip(
        OMISSIONS,
        (
            dict(color="#000000", marker="o", ls="-"),
            dict(color="#0072b2", marker="s", ls="--"),
            dict(color="#d55e00", marker="^", ls=":"),
        ),
        strict=True,
    )
)
PREDICTED = dict(color="0.8", lw=5, solid_capstyle="butt", zorder=0)


def save_mention_rates(table: pd.DataFrame, path: Path) -> None:
    """Writes the figure of the tables of runs as PNG at `path`, and as PDF beside it.

    Lines are means over factors and seeds, small points are factors of single lanes, and thick grey
    lines are predicted. The rank correlations are those within factors.
    """
    runs, means, found = list(table.run.unique()), cells(table), correlations(table)
    figure = Figure(figsize=(WIDTH, 1.6 * len(runs) + 0.9), layout="constrained")
    axes = figure.subplots(len(runs), len(TITLES), sharex=True, sharey=True, squeeze=False)
    for line, run in zip(axes, runs, strict=True):
        for axis, columns in zip(line, TITLES, strict=True):
            chosen = lambda rows, run=run, columns=columns: rows[
                (rows["run"] == run) & (rows["columns"] == columns)
            ]
            _measured(axis, chosen(table), chosen(means))
            _predicted(axis, columns, chosen(table).chance.mean())
            _correlation(axis, found, run, columns)
        line[0].set_ylabel(plain_text(run), fontsize=8)
    for axis, title in zip(axes[0], TITLES.values(), strict=True):
        axis.set_title(title, fontsize=8)
    figure.supxlabel("mention rate of a factor, by the audit of the captions", fontsize=8)
    figure.supylabel("zero-shot macro-F1", fontsize=8)
    _legend(figure)
    save_figure(figure, path)


def _measured(axis, points: pd.DataFrame, means: pd.DataFrame) -> None:
    ends = means[means.kind == FIXED]
    for kind, style in STYLES.items():
        line = pd.concat([ends, means[means.kind == kind]]).sort_values("mention_rate")
        axis.plot(line.mention_rate, line.value, ms=4, lw=1, **style)
        rows = points[points.kind == kind]
        axis.scatter(rows.mention_rate, rows.value, 5, style["color"], alpha=0.45, lw=0)
    rows = points[points.kind == FIXED]
    axis.scatter(rows.mention_rate, rows.value, 5, "0.4", alpha=0.45, lw=0)
    axis.set(xlim=(-0.04, 1.04), ylim=(-0.05, 1.08))
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _predicted(axis, columns: str, chance: float) -> None:
    """A step at the rate from which the factor is kept."""
    step = 1 if columns == EXACT else 0
    axis.plot([0, step, step, 1], [chance, chance, 1, 1], **PREDICTED)


def _correlation(axis, found: Correlations, run: str, columns: str) -> None:
    value = found[run, columns, WITHIN]
    axis.text(
        0.5,
        0.02,
        f"rank correlation {value.value:.2f} ({value.low:.2f} to {value.high:.2f})",
        transform=axis.transAxes,
        ha="center",
        va="bottom",
        fontsize=6.5,
    )


def _legend(figure: Figure) -> None:
    handles = [
        *(Line2D([], [], label=kind, ms=4, lw=1, **style) for kind, style in STYLES.items()),
        Line2D([], [], label="predicted", **PREDICTED),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4, fontsize=7, frameon=False)
