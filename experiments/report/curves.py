"""Curves: scores against encoding sizes and attainable scores, and the parts of such figures."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from experiments.report.figure_files import (
    AMBER,
    BLUE,
    COLUMN_WIDTH,
    GREEN,
    GREY,
    ORANGE,
    PRINT,
    SMALLEST,
    TEXT_WIDTH,
    Style,
    new_figure,
    points,
    save_figure,
)
from experiments.report.figure_text import (
    AFTER_COMMA,
    broken_text,
    plain_text,
    short_labels,
)
from experiments.report.heat_maps import target_label
from experiments.report.tables import main_probe, metric_name, target_rows
from experiments.rundir.hyperparameters import hyperparameter_labels
from experiments.rundir.lane_identity import REVERSE, unbiased_names
from experiments.rundir.results import MODALITIES, NOT_SEMANTICS

LAW_COLOURS = {"independent": BLUE, "dependent": AMBER}
OTHER_COLOUR = GREEN
MARKERS = "os^vDPX*"  # of laws
PANELS_PER_ROW = 4
PANEL_HEIGHT = 1.3  # inches
TITLE_LETTERS = 19  # of a line of a panel's title, with PANELS_PER_ROW panels
NAME_HEIGHT = 0.09  # of a name beside a panel, in units of R²
NAMED_TOGETHER = 2  # names of lines that end together
UNBIASED, BIASED = dict(color=BLUE, ls="-"), dict(color=ORANGE, ls="--")


def save_scatter(cells: pd.DataFrame, path: Path, style: Style = PRINT) -> Path:
    """Draws measured against attainable scores, one dot per target of a setting."""
    cells = target_rows(cells, main_probe(cells))
    cells = cells[cells.target != REVERSE]
    kept = [
        target in unbiased_names(selected, perturbable)
        for target, selected, perturbable in zip(
            cells.target, cells.selected, cells.perturbable, strict=True
        )
    ]
    caption = (
        f"Measured against attainable {metric_name(cells)} by the {main_probe(cells)} probe, one "
        "point per latent and setting. Unbiased latents are filled, biased ones (omitted, "
        "distorted, or of one modality) open; measured scores below 0 are drawn at 0."
    )
    draw = partial(_scatter, cells.assign(kept=kept), metric_name(cells))
    save_figure(draw, path, caption, style)
    return path


def size_panels(cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Returns the cells of every setting that was trained in several encoding sizes."""
    cells = target_rows(cells, main_probe(cells))
    cells = cells[(cells.modality == "x") & ~cells.target.isin(NOT_SEMANTICS)]
    cells = cells.assign(hyperparameters=hyperparameter_labels(cells))
    keys = ["setting", "law", "noise_probability", "hyperparameters"]
    groups = cells.groupby(keys, sort=False)
    return [rows for _, rows in groups if rows.encoding_size.nunique() > 1]


def save_sizes(panels: Sequence[pd.DataFrame], path: Path, style: Style = PRINT) -> Path:
    """Draws the score of every semantic against the encoding size, for `size_panels`."""
    metric = metric_name(panels[0])
    caption = (
        f"{metric} of every semantic from image representations, against the encoding size, one "
        "panel per setting; the grey line is at the number of unbiased semantics."
    )
    save_figure(partial(_sizes, panels, metric), path, caption, style)
    return path


def grid(count: int, share_steps: bool = True) -> tuple[Figure, np.ndarray]:
    """Returns a figure and `count` axes that share their scales, PANELS_PER_ROW in a row.

    `share_steps` is whether they share the horizontal one as well as the vertical one.
    """
    columns, lines = min(PANELS_PER_ROW, count), -(-count // PANELS_PER_ROW)
    width = COLUMN_WIDTH if columns < 3 else TEXT_WIDTH
    height = PANEL_HEIGHT + 0.3 * (columns < 3)
    figure = new_figure(height * lines + 0.7, width)
    axes = figure.subplots(lines, columns, sharex=share_steps, sharey=True, squeeze=False).ravel()
    for axis in axes[count:]:
        axis.set_axis_off()
    for axis in axes[max(0, count - columns) : count]:
        axis.tick_params(labelbottom=True)
    return figure, axes[:count]


def name_ends(axis, ends: Mapping[str, float]) -> None:
    """Writes the names of lines at the right of a panel, at the heights where they end.

    Names of lines that end together are joined: "s1, s2", "s3 to s9", or "7 lines".
    """
    order = list(ends)
    groups = [[name] for name in sorted(ends, key=ends.get)]
    height = lambda names: float(np.mean([ends[name] for name in names]))
    close = lambda: (
        at
        for at in range(1, len(groups))
        if height(groups[at]) - height(groups[at - 1]) < NAME_HEIGHT
    )
    while (at := next(close(), None)) is not None:
        groups[at - 1 : at + 1] = [groups[at - 1] + groups[at]]
    for names in groups:
        axis.annotate(
            _joined(sorted(names, key=order.index), order),
            (1.03, height(names)),
            xycoords=("axes fraction", "data"),
            fontsize=points(SMALLEST),
            va="center",
            annotation_clip=False,
        )


def _joined(names: Sequence[str], order: Sequence[str]) -> str:
    """The names of lines in one text."""
    labels = [target_label(name) for name in names]
    if len(names) <= NAMED_TOGETHER:
        return ", ".join(labels)
    begin = order.index(names[0])
    consecutive = list(names) == list(order[begin : begin + len(names)])
    return f"{labels[0]} to {labels[-1]}" if consecutive else f"{len(names)} lines"


def legend(figure: Figure, styles: dict[str, dict], columns: int = 2) -> None:
    """Draws the legend of line styles above all panels."""
    handles = [Line2D([], [], label=label, **style) for label, style in styles.items()]
    figure.legend(handles=handles, loc="outside upper center", ncols=columns)


def panel_title(label: str, semantics: int) -> str:
    """Returns the title of a panel: a label of a setting, short and on several lines."""
    (label,) = short_labels([label], semantics)
    lines = broken_text(label, TITLE_LETTERS, AFTER_COMMA).split("\n")
    return plain_text("\n".join(broken_text(line, TITLE_LETTERS, "(?<= )") for line in lines))


def kept_names(rows: pd.DataFrame) -> set[str]:
    """Returns the unbiased semantics of a setting, from its rows."""
    return unbiased_names(rows.selected.iloc[0], rows.perturbable.iloc[0])


def _scatter(cells: pd.DataFrame, metric: str) -> Figure:
    figure = new_figure(2.9)
    axes = figure.subplots(1, 2, sharey=True)
    laws = dict(zip(cells.law.unique(), cycle(MARKERS), strict=False))
    styles = {law: _dot(law, marker) for law, marker in laws.items()}
    for axis, (modality, name) in zip(axes, MODALITIES.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="0.6", lw=points(0.8), zorder=0)
        dots = cells[cells.modality == modality]
        for (law, kept), rows in reversed(list(dots.groupby(["law", "kept"], sort=False))):
            style = styles[law] if kept else styles[law] | {"markerfacecolor": "none"}
            axis.plot(rows.attainable, rows["mean"].clip(0, 1), **style)
        axis.set(xlabel=f"attainable {metric}", title=name, aspect="equal")
    axes[0].set_ylabel(f"measured {metric}")
    roles = {"unbiased": "0.3", "biased": "none"}
    marks = {role: dict(ls="", marker="o", mfc=face, mec="0.3") for role, face in roles.items()}
    several = {plain_text(law): style for law, style in styles.items()} if len(laws) > 1 else {}
    legend(figure, {**marks, **several}, columns=4)
    return figure


def _dot(law: str, marker: str) -> dict:
    size = dict(markersize=points(3), markeredgewidth=points(0.6))
    return dict(ls="", marker=marker, color=LAW_COLOURS.get(law, OTHER_COLOUR), **size)


def _sizes(panels: Sequence[pd.DataFrame], metric: str) -> Figure:
    figure, axes = grid(len(panels))
    for axis, rows in zip(axes, panels, strict=True):
        kept, first = kept_names(rows), rows.iloc[0]
        for target, line in rows.sort_values("encoding_size").groupby("target", sort=False):
            role = UNBIASED if target in kept else BIASED
            axis.plot(line.encoding_size, line["mean"].clip(0, 1), marker=".", **role)
        last = rows[rows.encoding_size == rows.encoding_size.max()].set_index("target")["mean"]
        name_ends(axis, last.clip(0, 1).dropna().to_dict())
        axis.axvline(len(kept), color=GREY, lw=points(0.8), zorder=0)
        noisy = f", p {first.noise_probability}" if first.perturbable else ""
        title = f"{first.setting}{noisy}, {first.law}{first.hyperparameters}"
        axis.set_title(panel_title(title, rows.target.nunique()))
    figure.supxlabel("encoding size (grey line: number of unbiased semantics)")
    figure.supylabel(f"{metric} from images")
    legend(figure, {"unbiased semantics": UNBIASED, "biased semantics": BIASED})
    return figure
