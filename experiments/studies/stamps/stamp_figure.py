"""Stamp figure: mentions by language, and recall of nearest neighbours beside chance."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure
from experiments.report.figure_text import plain_text
from experiments.studies.stamps.translations import ALL

WIDTH, ROW = 5.5, 0.15  # inches
GROUPS = {  # marker and colour of each group, distinct in grey
    "colour": dict(marker="o", color="#0072b2", markerfacecolor="#0072b2"),
    "number": dict(marker="s", color="#d55e00", markerfacecolor="white"),
}
BARS = {1: dict(color="#8cc0dd", edgecolor="#0072b2"),
        5: dict(color="#f3c9a5", edgecolor="#d55e00", hatch="////")}  # fmt: skip


def save_stamp_figure(
    languages: pd.DataFrame, mentions: pd.DataFrame, neighbours: pd.DataFrame, path: Path
) -> None:
    """Draws three panels as PNG at `path` and as PDF beside it, from the tables of the study."""
    scored = languages[languages.colour_rate.notna()].iloc[::-1]
    pairs = neighbours[["distance", "relation"]].drop_duplicates()
    heights = [len(scored) * ROW + 0.3, len(pairs) * 1.4 * ROW + 0.3]
    figure = Figure(figsize=(WIDTH, sum(heights) + 0.9), layout="constrained")
    grid = figure.add_gridspec(2, 2, height_ratios=heights)
    left = figure.add_subplot(grid[0, 0])
    right = figure.add_subplot(grid[0, 1], sharey=left)
    rates = {name: scored[["language", *_columns(name)]] for name in GROUPS}
    _points(left, list(scored.language), rates)
    left.set_xlabel("% of captions that mention it", fontsize=8)
    left.legend(fontsize=7, loc="best")
    totals = mentions[mentions.concept == ALL]
    columns = ["language", "omission_rate", "omission_low", "omission_high"]
    omitted = {name: totals[totals.group == name][columns] for name in GROUPS}
    _points(right, list(scored.language), omitted)
    right.set_xlabel("% of English mentions omitted", fontsize=8)
    right.tick_params(labelleft=False)
    _neighbour_bars(figure.add_subplot(grid[1, :]), neighbours, pairs)
    save_figure(figure, path)


def _columns(group: str) -> list[str]:
    return [f"{group}_rate", f"{group}_low", f"{group}_high"]


def _points(axis, names: list[str], rates: dict[str, pd.DataFrame]) -> None:
    """Draws one point with its interval per language and group."""
    for shift, (group, table) in zip((0.15, -0.15), rates.items(), strict=True):
        y = np.array([names.index(language) for language in table.language]) + shift
        rate, low, high = 100 * table.iloc[:, 1:].to_numpy(float).T
        axis.plot(rate, y, linestyle="", markersize=4, label=group, **GROUPS[group])
        axis.hlines(y, low, high, color=GROUPS[group]["color"], lw=1)
    axis.set_yticks(range(len(names)), map(plain_text, names))
    axis.set_xlim(left=0)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _neighbour_bars(axis, neighbours: pd.DataFrame, pairs: pd.DataFrame) -> None:
    """Draws the recalls of each distance and relation, with a line at chance."""
    keys = list(pairs.itertuples(index=False, name=None))[::-1]
    for shift, (k, style) in zip((0.2, -0.2), BARS.items(), strict=True):
        rows = neighbours[neighbours.k == k].set_index(["distance", "relation"]).loc[keys]
        y = np.arange(len(keys)) + shift
        axis.barh(y, 100 * rows.recall, height=0.36, label=f"{k} nearest", **style)
        axis.vlines(100 * rows.chance, y - 0.18, y + 0.18, color="black", lw=1.5)
    axis.set_yticks(range(len(keys)), [f"{name}: {relation}" for name, relation in keys])
    axis.set_xlabel("% of pictures with a neighbour that shares it (black line: by chance)",
                    fontsize=8)  # fmt: skip
    axis.set_xlim(0, 100)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=7, loc="lower right")
