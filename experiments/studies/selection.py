"""Selection: correlations of all columns against the rate of misalignment, measured and predicted.

misalign run adaptive:rates --workdir=runs/rates
misalign studies.selection runs/rates --figure=selection.png
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


def selection_table(directories: Sequence[Path]) -> pd.DataFrame:
    """Returns one row per lane and column of runs whose recipe selects columns.

    correlation: between the modalities, before the selection, on held-out pairs.
    kept:        whether the column was selected.
    predicted:   correlation of the perturbable semantic with its caption values, in theory.

    Raises ValueError if a path is not a run directory, its recipe selects no columns, a lane is not
    trained, or no lane has one of KINDS.
    """
    table = pd.DataFrame(row for directory in directories for row in _lane_rows(directory))
    if not set(KINDS) & set(table.misalignment):
        raise ValueError(f"no lane has misalignment {' or '.join(KINDS)}: run adaptive:rates")
    return table


def save_selection(table: pd.DataFrame, path: Path) -> None:
    """Draws `selection_table` as PNG to `path` and as PDF beside it, one panel per kind."""
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
            label = "kept" if kept else "dropped"
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
    if plan.recipes[0].select_from is None:
        raise ValueError(f"{directory} has a recipe without selection: allowed is select above 0")
    for number, lane in enumerate(plan.lanes):
        loaded = load_lane(directory, number)
        if loaded.step < plan.lane_steps[number]:
            raise ValueError(f"lane {number} of {directory} is not trained: let the run end")
        selection = loaded.stats.selection
        for column, (correlation, kept) in enumerate(
            zip(selection.correlations, selection.kept, strict=True)
        ):
            yield {
                "lane": number,
                "misalignment": lane.misalignment,
                "rate": lane.noise_probability,
                "column": column,
                "correlation": float(correlation),
                "kept": bool(kept),
                "threshold": float(loaded.hyper.shared_correlation),
                "predicted": _predicted(lane.misalignment, lane.noise_probability),
            }


def _predicted(kind: str, rate: float) -> float:
    """Correlation of a semantic with what its caption value says of it."""
    return float(np.sqrt(lvm.caption_r2(kind, float(rate))))


def main() -> None:
    """Runs the command line."""
    run_table_command("misalign studies.selection", __doc__, selection_table, save_selection)


if __name__ == "__main__":
    main()
