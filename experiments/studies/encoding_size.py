"""Encoding size: correlations of columns against the rate of misalignment, beside theory.

misalign run adaptive:rates --workdir=runs/rates
misalign studies.encoding_size runs/rates --figure=encoding_size.png
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import lvm
from experiments.report.figure_files import save_figure
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
    """Draws `size_table` as PNG to `path` and as PDF beside it, one panel per kind."""
    kinds = [kind for kind in KINDS if kind in set(table.misalignment)]
    figure, axes = plt.subplots(
        1,
        len(kinds),
        figsize=(2.75 * len(kinds), 2.6),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    rates = np.linspace(0, 1, 101)
    for axis, kind in zip(axes[0], kinds, strict=True):
        rows = table[table.misalignment == kind]
        bounds = [_predicted(kind, rate) for rate in rates]
        axis.plot(rates, bounds, color="0.4", label="predicted for the perturbable")
        axis.axhline(rows.threshold.iloc[0], color="0.4", linestyle=":", label="threshold")
        for kept, marker, face in ((True, "o", "C0"), (False, "x", "C1")):
            part = rows[rows.kept == kept]
            label = "counted" if kept else "not counted"
            axis.scatter(
                part.rate, part.correlation, 18, face, marker=marker, label=label, zorder=3
            )
        axis.set(xlabel="rate of misalignment", ylim=(-0.05, 1.05))
        axis.set_title(KINDS[kind], fontsize=9)
    axes[0, 0].set_ylabel("correlation between modalities")
    axes[0, 0].legend(loc="lower left", fontsize=7)
    save_figure(figure, path)


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
    run_table_command("misalign studies.encoding_size", __doc__, size_table, save_sizes)


if __name__ == "__main__":
    main()
