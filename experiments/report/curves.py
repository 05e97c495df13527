"""Curves: scores against steps, encoding sizes and attainable scores."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.report.figure_files import save_figure
from experiments.report.figure_text import plain_text
from experiments.report.heat_maps import target_label
from experiments.report.hyperparameters import hyperparameter_labels
from experiments.report.tables import (
    law_labels,
    main_probe,
    metric_name,
    setting_labels,
    target_rows,
)
from experiments.rundir.lane_identity import REVERSE, unbiased_names
from experiments.rundir.results import MODALITIES, NOT_SEMANTICS

LAW_COLORS = {"independent": "#0072b2", "dependent": "#d55e00"}  # distinct for colour-blind readers
OTHER_COLOR = "#009e73"
MARKERS = "os^vDPX*"  # of laws
PANELS_PER_ROW = 5
TITLE_WIDTH = 30  # letters per line of a panel's title
LETTER_WIDTH = 0.035  # for a letter of a name beside a panel, as a fraction of the steps
NAME_HEIGHT = 0.06  # height of a name in a panel, in units of R²
UNBIASED, BIASED = dict(color="#0072b2", lw=1.4), dict(color="#d55e00", lw=1.0, ls="--")


def save_learning(history: pd.DataFrame, path: Path, metric: str) -> Path:
    """Draws monitor scores against steps, mean over seeds, one panel per setting.

    `history` is `history.csv`. Unbiased semantics are solid, biased ones dashed; a curve that ends
    near 0 has no name.
    """
    laws = law_labels(history)
    laws = ", " + laws if laws.nunique() > 1 else ""
    history = history.assign(label=setting_labels(history) + laws)
    labels = history.label.unique()
    figure, axes = grid(len(labels))
    for axis, label in zip(axes, labels, strict=True):
        _learning_panel(axis, history[history.label == label])
        axis.set_title(plain_text(fill(label, TITLE_WIDTH)), fontsize=8)
    figure.supxlabel("training step", fontsize=9)
    figure.supylabel(f"{metric} from the image representation", fontsize=9)
    legend(figure, {"unbiased semantics": UNBIASED, "biased semantics": BIASED})
    save_figure(figure, path)
    return path


def save_scatter(cells: pd.DataFrame, path: Path) -> Path:
    """Draws measured against attainable scores, one dot per target of a setting."""
    cells = target_rows(cells, main_probe(cells))
    cells = cells[cells.target != REVERSE]
    metric = metric_name(cells)
    figure = Figure(figsize=(7.4, 3.9), layout="constrained")
    for axis, (modality, name) in zip(figure.subplots(1, 2), MODALITIES.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="0.6", lw=0.8, zorder=0)
        dots = cells[cells.modality == modality]
        for (law, rows), mark in zip(dots.groupby("law", sort=False), cycle(MARKERS), strict=False):
            style = dict(s=12, marker=mark, alpha=0.6, linewidths=0, label=plain_text(law))
            axis.scatter(
                rows.attainable,
                rows["mean"].clip(0, 1),
                color=LAW_COLORS.get(law, OTHER_COLOR),
                **style,
            )
        axis.set(xlabel=f"attainable {metric}", ylabel=f"measured {metric}")
        axis.set(title=name, aspect="equal")
    axis.legend(fontsize=8, frameon=False, loc="lower right")
    save_figure(figure, path)
    return path


def size_panels(cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Returns the cells of every setting that was trained in several encoding sizes."""
    cells = target_rows(cells, main_probe(cells))
    cells = cells[(cells.modality == "x") & ~cells.target.isin(NOT_SEMANTICS)]
    cells = cells.assign(hyperparameters=hyperparameter_labels(cells))
    keys = ["setting", "law", "noise_probability", "hyperparameters"]
    groups = cells.groupby(keys, sort=False)
    return [rows for _, rows in groups if rows.encoding_size.nunique() > 1]


def save_sizes(panels: Sequence[pd.DataFrame], path: Path) -> Path:
    """Draws the score of every semantic against the encoding size, for `size_panels`."""
    figure, axes = grid(len(panels))
    for axis, rows in zip(axes, panels, strict=True):
        kept, first = _kept(rows), rows.iloc[0]
        for target, line in rows.sort_values("encoding_size").groupby("target", sort=False):
            style = UNBIASED if target in kept else BIASED
            axis.plot(line.encoding_size, line["mean"].clip(0, 1), marker=".", **style)
        axis.axvline(len(kept), color="0.6", lw=0.8, zorder=0)
        noisy = f", p {first.noise_probability}" if first.perturbable else ""
        title = f"{first.setting}{noisy},\n{first.law}{first.hyperparameters}"
        axis.set_title(plain_text(title), fontsize=8)
    figure.supxlabel("encoding size (grey line: number of unbiased semantics)", fontsize=9)
    figure.supylabel(f"{metric_name(panels[0])} from the image representation", fontsize=9)
    legend(figure, {"unbiased semantics": UNBIASED, "biased semantics": BIASED})
    save_figure(figure, path)
    return path


def grid(count: int) -> tuple[Figure, np.ndarray]:
    """Returns a figure and `count` axes, PANELS_PER_ROW in a row."""
    columns, lines = min(PANELS_PER_ROW, count), -(-count // PANELS_PER_ROW)
    figure = Figure(figsize=(max(2.3 * columns, 5) + 0.4, 1.8 * lines + 0.9), layout="constrained")
    axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axis in axes[count:]:
        axis.set_axis_off()
    return figure, axes[:count]


def _kept(rows: pd.DataFrame) -> set[str]:
    return unbiased_names(rows.selected.iloc[0], rows.perturbable.iloc[0])


def _learning_panel(axis, rows: pd.DataFrame) -> None:
    kept = _kept(rows)
    others = {f"x_{target}" for target in NOT_SEMANTICS}
    names = [name for name in rows if name.startswith("x_") and name not in others]
    curves = rows[rows.loss.notna()].groupby("step")[names].mean().clip(0, 1)
    if curves.empty:  # every lane diverged before the first point
        return
    height = 1.08 + NAME_HEIGHT
    for name, end in curves.iloc[-1].sort_values(ascending=False).items():
        target = name.removeprefix("x_")
        axis.plot(curves.index, curves[name], **(UNBIASED if target in kept else BIASED))
        if end < NAME_HEIGHT:
            continue
        height = min(end + 0.02, height - NAME_HEIGHT)  # so that names do not overlap
        axis.annotate(
            target_label(target),
            (curves.index[-1], height),
            fontsize=6,
            va="center",
            annotation_clip=False,
        )
    axis.set_ylim(-0.03, 1.12)
    longest = max(len(name) for name in names) - len("x_")
    axis.set_xlim(right=(1 + LETTER_WIDTH * longest) * curves.index[-1])
    axis.locator_params(axis="x", nbins=4)
    axis.tick_params(labelsize=7)


def legend(figure: Figure, styles: dict[str, dict], columns: int = 2) -> None:
    """Draws the legend of line styles above all panels."""
    handles = [Line2D([], [], label=label, **style) for label, style in styles.items()]
    figure.legend(
        handles=handles, loc="outside upper right", ncols=columns, fontsize=8, frameon=False
    )
