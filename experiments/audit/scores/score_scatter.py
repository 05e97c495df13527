"""Score scatter: a figure of mention rates and scores, with the names of as many as fit."""

import math
from collections.abc import Iterable
from functools import partial
from itertools import cycle
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from experiments.audit.scores.score_join import GROUPS, main_metric
from experiments.audit.scores.score_table import GROUP_METRICS
from experiments.audit.scores.score_text import metric_name
from experiments.report.figure_files import SMALLEST, TEXT_WIDTH, new_figure, points, save_figure
from experiments.report.figure_text import plain_text

# distinguishable with colour blindness; with the markers, in grey as well
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<", ">", "*", "p")
GAP = 2.5  # points between a point and its name
SIDES = (  # of a point, where its name may be: direction, and alignments of the text
    ((1, 0), "left", "center"), ((-1, 0), "right", "center"),
    ((0, 1), "center", "bottom"), ((0, -1), "center", "top"),
    ((1, 1), "left", "bottom"), ((1, -1), "left", "top"),
    ((-1, 1), "right", "bottom"), ((-1, -1), "right", "top"),
)  # fmt: skip


def save_scatter(joined: pd.DataFrame, captions: int, path: Path) -> None:
    """Draws the table of `join_scores` as points and writes the files of `save_figure`.

    The upper panel has the concepts, the lower one the groups if they have scores, both by their
    first metric and with its interval. Rates are on a logarithmic axis that is linear below one
    caption.

    captions: number of captions.
    """
    metric = main_metric(joined)
    caption = (
        f"Score of a model at every concept ({metric_name('concepts', metric)}), with its "
        f"interval, against the percentage of {captions:,} captions that mention it; below, the "
        "same by group. Names are left out where they would cover others."
    )
    save_figure(partial(_scatter, joined, captions, metric), path, caption)


def _scatter(joined: pd.DataFrame, captions: int, metric: str) -> Figure:
    of_concepts = joined[(joined.concept != "") & (joined.metric == metric)]
    of_groups = joined[(joined.concept == "") & (joined.metric == GROUP_METRICS[metric])]
    of_groups = of_groups.dropna(subset="selection_rate")
    has_groups = len(of_groups) > 0
    figure = new_figure(4.6 + 2.6 * has_groups, TEXT_WIDTH)
    FigureCanvasAgg(figure)
    upper, *lower = figure.subplots(
        1 + has_groups, 1, squeeze=False, height_ratios=[3, 2][: 1 + has_groups]
    )[:, 0]
    styles = dict(zip(dict.fromkeys(of_concepts.group), cycle(_styles()), strict=False))
    _points(upper, of_concepts, captions, styles)
    upper.set_ylabel(f"{metric_name('concepts', metric)} of the concept")
    upper.legend(ncols=min(5, len(styles)), loc="lower center", bbox_to_anchor=(0.5, 1))
    for axis in lower:
        _points(axis, of_groups, captions, styles)
        axis.set_ylabel(f"{metric_name(GROUPS, metric)} of the group")
    figure.draw_without_rendering()  # lays out the axes, which the names must fit
    figure.set_layout_engine("none")
    _name_points(upper, of_concepts, of_concepts.concept)
    for axis in lower:
        _name_points(axis, of_groups, of_groups.group)
    return figure


def _styles() -> Iterable[dict]:
    return [
        {"color": COLOURS[index % len(COLOURS)], "marker": MARKERS[index % len(MARKERS)]}
        for index in range(len(COLOURS) * len(MARKERS))
    ]


def _points(axis, rows: pd.DataFrame, captions: int, styles: dict[str, dict]) -> None:
    """Draws one point per row, in the style of its group, and the interval of its score."""
    for group, of_group in rows.groupby("group", sort=False):
        x = 100 * of_group.selection_rate
        axis.plot(x, of_group.value, ls="", ms=points(3), label=plain_text(group), **styles[group])
        axis.vlines(
            x, of_group.low, of_group.high, color=styles[group]["color"], lw=points(0.4), alpha=0.5
        )
    one_caption = 100 / captions  # %
    axis.set_xscale("symlog", linthresh=one_caption, linscale=0.5)
    axis.set_xlim(left=-0.3 * one_caption)
    ticks = [0, *10.0 ** np.arange(math.ceil(math.log10(one_caption)), 3)]
    right = axis.get_xlim()[1]
    axis.set_xticks([tick for tick in ticks if tick <= right])
    axis.xaxis.set_major_formatter("{x:g}")
    axis.set_ylim(-0.03, 1.03)
    axis.set_xlabel(f"mention rate: % of {captions:,} captions")
    axis.spines[["top", "right"]].set_visible(False)


def _name_points(axis, rows: pd.DataFrame, names: Iterable[str]) -> None:
    """Writes names beside points, the most isolated first, where no point or name is covered."""
    positions = axis.transData.transform(np.stack([100 * rows.selection_rate, rows.value], 1))
    distances = np.linalg.norm(positions[:, None] - positions, axis=-1)
    np.fill_diagonal(distances, np.inf)
    scale = points(axis.figure.dpi / 72)  # pixels in a point of print
    taken = [Bbox.from_extents(*(p - 2 * scale), *(p + 2 * scale)) for p in positions]
    names = list(names)
    for index in np.argsort(-distances.min(1), kind="stable"):
        point = 100 * rows.selection_rate.iloc[index], rows.value.iloc[index]
        if box := _name_point(axis, names[index], point, taken):
            taken.append(box)


def _name_point(axis, name: str, point: tuple[float, float], taken: list[Bbox]) -> Bbox | None:
    """Writes a name at the first free side of a point; returns its box, None if no side is."""
    text = axis.annotate(
        plain_text(name), point, (0, 0), textcoords="offset points", fontsize=points(SMALLEST)
    )
    renderer = axis.figure.canvas.get_renderer()
    for direction, horizontal, vertical in SIDES:
        text.set(position=points(GAP) * np.array(direction), ha=horizontal, va=vertical)
        box = text.get_window_extent(renderer)
        inside = axis.bbox.contains(*box.min) and axis.bbox.contains(*box.max)
        if inside and not any(box.overlaps(other) for other in taken):
            return box
    text.remove()
    return None
