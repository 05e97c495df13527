"""Rate bars: a figure with the rates of all groups, readable in grey."""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from experiments.audit.rate_tables import percent
from experiments.audit.rates import GroupRates, Rate
from experiments.report.figure_files import (
    COLUMN_WIDTH,
    SMALLEST,
    TEXT_WIDTH,
    new_figure,
    points,
    save_figure,
)
from experiments.report.figure_text import plain_text

BAR_HEIGHT = 0.16  # inches
HEADROOM = 1.25  # the axis ends at this multiple of the longest bar, to fit its number
# distinguishable with colour blindness by hue, and in grey by the hatching
SELECTION_STYLE = dict(color="#8cc0dd", edgecolor="#0072b2")
PERTURBATION_STYLE = dict(color="#f3c9a5", edgecolor="#d55e00", hatch="////")


def save_bars(rates: Sequence[GroupRates], captions: int, path: Path) -> None:
    """Draws the rates as bars and writes the files of `save_figure`.

    The left panel has the selection rates, highest first. With labels, a right panel has the
    perturbation rates, with a line at the rate that independent captions would have.

    captions: number of captions.
    """
    caption = (
        f"Fraction of {captions:,} captions that mention each group of concepts, with 95 % "
        "intervals, highest first."
    )
    if any(group_rates.compared for group_rates in rates):
        caption += (
            " Right: fraction of wrong captions among those with a label; the black line is the "
            "fraction by chance, of captions independent of the labels."
        )
    save_figure(partial(_rates, rates, captions), path, caption)


def _rates(rates: Sequence[GroupRates], captions: int) -> Figure:
    upwards = sorted(reversed(rates), key=lambda group_rates: group_rates.selection.value)
    labelled = any(group_rates.compared for group_rates in rates)
    width = TEXT_WIDTH if labelled else COLUMN_WIDTH
    figure = new_figure(BAR_HEIGHT * len(rates) + 0.6, width)
    left, *right = figure.subplots(1, 1 + labelled, sharey=True, squeeze=False)[0]
    _bars(left, [group_rates.selection for group_rates in upwards], SELECTION_STYLE)
    names = [group_rates.group for group_rates in upwards]
    left.set_yticks(range(len(names)), map(plain_text, names))
    left.set_xlabel(f"selection rate: % of {captions:,} captions")
    for axis in right:
        _bars(axis, [group_rates.perturbation for group_rates in upwards], PERTURBATION_STYLE)
        _chance_lines(axis, [group_rates.chance for group_rates in upwards])
        axis.set_xlabel("perturbation rate: % wrong (line: by chance)")
        axis.tick_params(left=False)
    return figure


def _bars(axis, rates: Sequence[Rate | None], style: dict) -> None:
    """Draws one bar per rate with its interval and its number; a dash for an unknown rate."""
    size = points(SMALLEST)
    for y, rate in enumerate(rates):
        if rate is None:
            axis.text(0, y, " –", va="center", fontsize=size)
            continue
        axis.barh(y, 100 * rate.value, height=0.7, **style)
        axis.plot([100 * rate.low, 100 * rate.high], [y, y], color="black", lw=points(0.8))
        axis.text(100 * rate.high, y, f" {percent(rate.value)}", va="center", fontsize=size)
    axis.set_xlim(0, HEADROOM * max(100 * rate.high for rate in rates if rate))
    axis.set_ylim(-0.6, len(rates) - 0.4)
    axis.spines[["top", "right"]].set_visible(False)


def _chance_lines(axis, chances: Sequence[float]) -> None:
    """Draws one line per group whose chance rate is a number."""
    known = {y: 100 * chance for y, chance in enumerate(chances) if not math.isnan(chance)}
    for y, chance in known.items():
        axis.plot([chance, chance], [y - 0.4, y + 0.4], color="black", lw=points(1.2))
    axis.set_xlim(0, max(axis.get_xlim()[1], 1.02 * max(known.values())))
