"""Encoding size: correlations of columns against the rate of misalignment, beside theory.

misalign run adaptive:rates --workdir=runs/rates
misalign studies.encoding_size runs/rates --figure=encoding_size.png
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import lvm
from experiments.report.figure_files import (
    BLUE,
    COLUMN_WIDTH,
    GREY,
    ORANGE,
    TEXT_WIDTH,
    new_figure,
    points,
    save_figure,
)
from experiments.report.run_tables import run_table_command
from experiments.sweep.loading import load_lane, read_plan

KINDS = {"strength": "blended with noise", "mcar": "missing completely at random"}


def size_table(directories: Sequence[Path]) -> pd.DataFrame:
    """Returns one row per lane and canonical column of runs that estimated the encoding size.

    correlation: between the modalities, at the estimate, on held-out pairs.
    kept:        whether the column is counted.
    predicted:   correlation of the perturbable semantic with its caption values, in theory.

    Raises ValueError if a path is not a run directory, its recipe does not estimate the size, a
    lane is not trained, or no lane has one of KINDS.
    """
    table = pd.DataFrame(row for directory in directories for row in _lane_rows(directory))
    if not set(KINDS) & set(table.misalignment):
        raise ValueError(f"no lane has misalignment {' or '.join(KINDS)}: run adaptive:rates")
    return table


def save_sizes(table: pd.DataFrame, path: Path) -> None:
    """Draws `size_table`, one panel per kind, and writes the files of `save_figure`."""
    caption = (
        "Correlation of every canonical column between image and text representations, against "
        "the rate of misalignment: columns above the threshold that carry a semantic of their own "
        "are counted; the line is the correlation of the perturbable semantic in theory."
    )
    save_figure(partial(_panels, table), path, caption)


def _panels(table: pd.DataFrame) -> Figure:
    kinds = [kind for kind in KINDS if kind in set(table.misalignment)]
    figure = new_figure(2.3, TEXT_WIDTH if len(kinds) > 1 else COLUMN_WIDTH)
    axes = figure.subplots(1, len(kinds), sharey=True, squeeze=False)
    rates = np.linspace(0, 1, 101)
    for axis, kind in zip(axes[0], kinds, strict=True):
        rows = table[table.misalignment == kind]
        bounds = [_predicted(kind, rate) for rate in rates]
        axis.plot(rates, bounds, color=GREY, label="predicted for the perturbable")
        axis.axhline(rows.threshold.iloc[0], color=GREY, linestyle=":", label="threshold")
        for kept, marker, colour in ((True, "o", BLUE), (False, "x", ORANGE)):
            part = rows[rows.kept == kept]
            label = "counted" if kept else "not counted"
            style = dict(marker=marker, ls="", ms=points(3.5), color=colour)
            axis.plot(part.rate, part.correlation, label=label, zorder=3, **style)
        axis.set(xlabel="rate of misalignment", ylim=(-0.05, 1.05))
        axis.set_title(KINDS[kind])
    axes[0, 0].set_ylabel("correlation between modalities")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return figure


def _lane_rows(directory: Path):
    plan = read_plan(directory)
    if not plan.estimate_size:
        raise ValueError(f"{directory} has a recipe with estimate_size=False: allowed is True")
    for number, lane in enumerate(plan.lanes):
        loaded = load_lane(directory, number)
        if loaded.step < plan.lane_steps[number]:
            raise ValueError(f"lane {number} of {directory} is not trained: let the run end")
        for column, (correlation, kept) in enumerate(
            zip(loaded.size.correlations, loaded.size.kept, strict=True)
        ):
            yield {
                "lane": number,
                "misalignment": lane.misalignment,
                "rate": lane.noise_probability,
                "column": column,
                "correlation": float(correlation),
                "kept": bool(kept),
                "threshold": plan.shared_correlation,
                "predicted": _predicted(lane.misalignment, lane.noise_probability),
            }


def _predicted(kind: str, rate: float) -> float:
    """Correlation of a semantic with what its caption value says of it."""
    return float(np.sqrt(lvm.caption_r2(kind, float(rate))))


def main() -> None:
    """Runs the command line."""
    columns = ("misalignment", "rate", "correlation", "kept", "threshold")
    run_table_command(
        "misalign studies.encoding_size", __doc__, size_table, save_sizes, columns=columns
    )


if __name__ == "__main__":
    main()
