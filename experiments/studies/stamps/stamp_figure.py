"""Stamp figure: mentions by language, and recall of nearest neighbours beside chance."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from experiments.report.figure_files import BLUE, ORANGE, new_figure, points, save_figure
from experiments.report.figure_text import plain_text
from experiments.studies.stamps.translations import ALL

ROW = 0.17  # inches
LABEL_WIDTH = 34  # letters per line
LANGUAGES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian",
    "nl": "Dutch", "pt": "Portuguese",
}  # fmt: skip
GROUPS = {  # distinct in grey
    "colour": dict(marker="o", color=BLUE, markerfacecolor=BLUE),
    "number": dict(marker="s", color=ORANGE, markerfacecolor="white"),
}
BARS = {
    1: dict(label="the nearest neighbour", color="#8cc0dd", edgecolor=BLUE),
    5: dict(label="one of the five nearest", color="#f3c9a5", edgecolor=ORANGE, hatch="////"),
}


def save_stamp_figure(
    languages: pd.DataFrame, mentions: pd.DataFrame, neighbours: pd.DataFrame, path: Path
) -> None:
    """Draws the tables of the study to `path`, with PDF, SVG and caption, without pictures."""
    caption = (
        "Pictures with captions in several languages. Above: captions that mention a colour or a "
        "number, and English mentions that captions of other languages omit, with 95 % intervals. "
        "Below: pictures that share a category or caption with a nearest neighbour; black lines "
        "are chance."
    )
    save_figure(partial(_stamps, languages, mentions, neighbours), path, caption)


def _stamps(languages: pd.DataFrame, mentions: pd.DataFrame, neighbours: pd.DataFrame) -> Figure:
    scored = languages[languages.colour_rate.notna()]
    y_by_language = {name: -y for y, name in enumerate(sorted(scored.language, key=_place))}
    pairs = neighbours[["distance", "relation"]].drop_duplicates()
    heights = [(len(scored) + 2) * ROW, (len(pairs) + 1) * 1.4 * ROW]
    figure = new_figure(sum(heights) + 1.3)
    grid = figure.add_gridspec(2, 2, height_ratios=heights)
    left = figure.add_subplot(grid[0, 0])
    right = figure.add_subplot(grid[0, 1], sharey=left)
    for group in GROUPS:
        _points(left, y_by_language, scored, group, f"{group}_rate {group}_low {group}_high")
        rows = mentions[(mentions.concept == ALL) & (mentions.group == group)]
        _points(right, y_by_language, rows, group, "omission_rate omission_low omission_high")
    left.set_yticks(list(y_by_language.values()), map(_language_label, y_by_language))
    left.set_xlabel("captions that mention it (%)")
    right.set_xlabel("English mentions omitted (%)")
    right.tick_params(labelleft=False)
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    _neighbour_bars(figure.add_subplot(grid[1, :]), neighbours, pairs)
    return figure


def _place(language: str) -> tuple[int, str]:
    """Order of a language in the figure: as in LANGUAGES, then the others by name."""
    base = language.partition("_")[0]
    return ([*LANGUAGES, base].index(base), language)


def _language_label(language: str) -> str:
    base, _, region = language.partition("_")
    return plain_text(LANGUAGES.get(base, base) + (f" ({region})" if region else ""))


def _points(axis, y_by_language: Mapping[str, int], table, group: str, columns: str) -> None:
    """Draws one point with its interval per language; `columns` are the rate and its ends."""
    shift = 0.16 if group == "colour" else -0.16
    y = table.language.map(y_by_language).to_numpy(float) + shift
    rate, low, high = 100 * table[columns.split()].to_numpy(float).T
    axis.plot(rate, y, linestyle="", markersize=points(4), label=group, **GROUPS[group])
    axis.hlines(y, low, high, color=GROUPS[group]["color"], lw=points(1), zorder=0)
    axis.set_xlim(left=0)
    axis.spines[["top", "right"]].set_visible(False)


def _neighbour_bars(axis, neighbours: pd.DataFrame, pairs: pd.DataFrame) -> None:
    """Draws the recalls of each distance and relation, with a line at chance."""
    keys = list(pairs.itertuples(index=False, name=None))
    for shift, (k, style) in zip((0.2, -0.2), BARS.items(), strict=True):
        rows = neighbours[neighbours.k == k]  # in the order of `keys`
        y = shift - np.arange(len(keys))
        axis.barh(y, 100 * rows.recall, height=0.36, **style)
        axis.vlines(100 * rows.chance, y - 0.18, y + 0.18, color="black", lw=points(1.5))
    labels = [plain_text(fill(f"{name}: {relation}", LABEL_WIDTH)) for name, relation in keys]
    axis.set_yticks(-np.arange(len(keys)), labels)
    axis.set_xlabel("pictures that share it with a neighbour (%); black line: by chance")
    axis.set_xlim(0, 100)
    axis.spines[["top", "right"]].set_visible(False)
    _legend_above(axis)


def _legend_above(axis) -> None:
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderpad=0.1)
