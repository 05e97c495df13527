"""Figure: the rates of all groups as bars, readable in grey."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from experiments.audit.rate_tables import percent
from experiments.audit.rates import GroupRates, Rate
from experiments.report.figure_files import save_figure

BAR = 0.24  # inches
ROOM = 1.16  # for the number beside the longest bar
# Told apart by every eye, and in grey by the hatching.
TOLD = dict(color="#8cc0dd", edgecolor="#0072b2")
WRONG = dict(color="#f3c9a5", edgecolor="#d55e00", hatch="////")


def save_bars(rates: Sequence[GroupRates], captions: int, path: Path) -> None:
    """Selection rate of each group, most told first, as PNG at `path` and as PDF beside it.

    With labels, the perturbation rate stands beside it, with a line where chance would put it.
    """
    upwards = sorted(reversed(rates), key=lambda of_group: of_group.selection.value)
    labelled = any(of_group.compared for of_group in rates)
    figure = Figure(
        figsize=(7.4 if labelled else 4.8, BAR * len(rates) + 0.9), layout="constrained"
    )
    told, *others = figure.subplots(1, 1 + labelled, sharey=True, squeeze=False)[0]
    _bars(told, [of_group.selection for of_group in upwards], TOLD)
    names = [of_group.group for of_group in upwards]
    told.set_yticks(range(len(names)), names, parse_math=False)
    told.set_xlabel(f"selection rate: % of {captions:,} captions that tell it", fontsize=8)
    for axis in others:
        _bars(axis, [of_group.perturbation for of_group in upwards], WRONG)
        _chances(axis, [of_group.chance for of_group in upwards])
        axis.set_xlabel("perturbation rate: % told wrong (black line: by chance)", fontsize=8)
        axis.tick_params(left=False)
    save_figure(figure, path)


def _bars(axis, rates: Sequence[Rate | None], style: dict) -> None:
    """A bar a rate with its interval and its number; a dash for one that nobody knows."""
    for place, rate in enumerate(rates):
        if rate is None:
            axis.text(0, place, " –", va="center", fontsize=7)
            continue
        axis.barh(place, 100 * rate.value, height=0.7, **style)
        axis.plot([100 * rate.low, 100 * rate.high], [place, place], color="black", lw=1)
        axis.text(100 * rate.high, place, f" {percent(rate.value)}", va="center", fontsize=7)
    axis.set_xlim(0, ROOM * max(100 * rate.high for rate in rates if rate))
    axis.set_ylim(-0.6, len(rates) - 0.4)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)


def _chances(axis, chances: Sequence[float]) -> None:
    """A line a group where there is a number."""
    known = {place: 100 * chance for place, chance in enumerate(chances) if not math.isnan(chance)}
    for place, chance in known.items():
        axis.plot([chance, chance], [place - 0.4, place + 0.4], color="black", lw=1.5)
    axis.set_xlim(0, max(axis.get_xlim()[1], 1.02 * max(known.values())))
