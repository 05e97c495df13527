"""Mention figure: zero-shot score against mention rate, one row per run, measured and predicted."""

from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.report.figure_files import BLUE, ORANGE, new_figure, points, save_figure
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
STYLES = dict(  # distinguishable with colour blindness; by marker and line, in grey as well
    zip(
        OMISSIONS,
        (
            dict(color="#000000", marker="o", ls="-"),
            dict(color=BLUE, marker="s", ls="--"),
            dict(color=ORANGE, marker="^", ls=":"),
        ),
        strict=True,
    )
)
PREDICTED = dict(color="0.8", solid_capstyle="butt", zorder=0)
PREDICTED_WIDTH = 5  # points


def save_mention_rates(table: pd.DataFrame, path: Path) -> None:
    """Writes the figure of the tables of runs as PNG at `path`, with PDF, SVG and caption."""
    caption = (
        "Zero-shot macro-F1 of factors against the rate at which captions mention them, by the "
        "audit of the captions. Lines are means over factors and seeds, small points are factors "
        "of single lanes, and thick grey lines are predicted. Rank correlations are those within "
        "factors, with 95 % intervals."
    )
    save_figure(partial(_mention_rates, table), path, caption)


def _mention_rates(table: pd.DataFrame) -> Figure:
    runs, means, found = list(table.run.unique()), cells(table), correlations(table)
    figure = new_figure(1.6 * len(runs) + 0.9)
    axes = figure.subplots(len(runs), len(TITLES), sharex=True, sharey=True, squeeze=False)
    for line, run in zip(axes, runs, strict=True):
        for axis, columns in zip(line, TITLES, strict=True):
            chosen = lambda rows, run=run, columns=columns: rows[
                (rows["run"] == run) & (rows["columns"] == columns)
            ]
            _measured(axis, chosen(table), chosen(means))
            _predicted(axis, columns, chosen(table).chance.mean())
            _correlation(axis, found, run, columns)
        line[0].set_ylabel(plain_text(run))
    for axis, title in zip(axes[0], TITLES.values(), strict=True):
        axis.set_title(title)
    figure.supxlabel("mention rate of a factor, by the audit of the captions")
    figure.supylabel("zero-shot macro-F1")
    _legend(figure)
    return figure


def _measured(axis, points: pd.DataFrame, means: pd.DataFrame) -> None:
    ends = means[means.kind == FIXED]
    for kind, style in STYLES.items():
        line = pd.concat([ends, means[means.kind == kind]]).sort_values("mention_rate")
        axis.plot(line.mention_rate, line.value, ms=4, lw=1, **style)
        rows = points[points.kind == kind]
        axis.scatter(rows.mention_rate, rows.value, 5, style["color"], alpha=0.45, lw=0)
    rows = points[points.kind == FIXED]
    axis.scatter(rows.mention_rate, rows.value, 5, "0.4", alpha=0.45, lw=0)
    axis.set(xlim=(-0.04, 1.04), ylim=(-0.17, 1.08))
    axis.spines[["top", "right"]].set_visible(False)


def _predicted(axis, columns: str, chance: float) -> None:
    """A step at the rate from which the factor is kept."""
    step = 1 if columns == EXACT else 0
    axis.plot([0, step, step, 1], [chance, chance, 1, 1], lw=points(PREDICTED_WIDTH), **PREDICTED)


def _correlation(axis, found: Correlations, run: str, columns: str) -> None:
    value = found[run, columns, WITHIN]
    axis.text(
        0.5,
        0.02,
        f"rank correlation {value.value:.2f} ({value.low:.2f} to {value.high:.2f})",
        transform=axis.transAxes,
        ha="center",
        va="bottom",
        fontsize=points(6.5),
    )


def _legend(figure: Figure) -> None:
    handles = [
        *(Line2D([], [], label=kind, ms=4, lw=1, **style) for kind, style in STYLES.items()),
        Line2D([], [], label="predicted", lw=points(PREDICTED_WIDTH), **PREDICTED),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
