"""Linearity: how much of what is kept is there linearly, by objective, output space and law.

python -m experiments.run --config=experiments/configs/linearity.py:siglip,free --workdir=runs/free
python -m experiments.run --config=experiments/configs/linearity.py:siglip,cube --workdir=runs/cube
python -m experiments.studies.linearity runs/free runs/cube --figure=linearity.png
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.domains.latent_scores import LAWS
from experiments.report.heat_maps import Panel, save_heat_maps
from experiments.report.run_tables import compare_runs_command
from experiments.rundir.results import read_results, unbiased_names
from experiments.sweep.loading import read_plan

GROUPS = ["objective", "space", "law", "noise"]
PROBES = {"linear": "linearly", "mlp": "by an MLP"}


def linearity_table(directories: Sequence[Path]) -> pd.DataFrame:
    """A row an objective, output space, dependence (`law`) and law of exogenous noise (`noise`).

    Columns linear and mlp: R² of an unbiased semantic by that probe, the mean over them, both
    modalities and seeds; gap: what an MLP reads more. Raises ValueError for what is no run
    directory, has no scores, or lacks one of the two probes, and for two runs of one objective in
    one space.
    """
    parts = [_unbiased_scores(directory) for directory in directories]
    kinds = [tuple(part.iloc[0][["objective", "space"]]) for part in parts]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise ValueError(f"two runs have {kind[0]} in space {kind[1]}: give one of them")
    rows = pd.concat(parts)
    means = rows.groupby([*GROUPS, "probe"], sort=False).value.agg(lambda v: v.mean(skipna=False))
    table = means.unstack()  # a lane that failed leaves no mean
    table = table.loc[means.index.droplevel("probe").drop_duplicates()]
    if not all(set(PROBES) <= set(part.probe) for part in parts):
        raise ValueError(f"evaluation.probes of every run must hold {' and '.join(PROBES)}")
    table = table[[*PROBES]].reset_index().rename_axis(columns=None)
    return table.assign(gap=table.mlp - table.linear)


def save_linearity(table: pd.DataFrame, path: Path) -> None:
    """Draws `linearity_panels`, as PNG at `path` and as PDF beside it."""
    save_heat_maps(linearity_panels(table), path, "R² of unbiased semantics, mean")


def linearity_panels(table: pd.DataFrame) -> list[list[Panel]]:
    """Heat maps, output space and dependence by law of noise: a column of them an objective."""
    cells = table.assign(
        label=table.space.map(_words) + ", " + table.law.map(_words), noise=table.noise.map(_words)
    )
    labels, noises = cells.label.unique(), cells.noise.unique()

    def panel(objective, rows, probe):
        values = rows.pivot(index="label", columns="noise", values=probe)
        title = f"{_words(objective)},\n{PROBES[probe]}"
        return Panel(title, values.reindex(index=labels, columns=noises))

    return [
        [panel(*group, probe) for group in cells.groupby("objective", sort=False)]
        for probe in PROBES
    ]


def _unbiased_scores(directory: Path) -> pd.DataFrame:
    """The scores of unbiased semantics in a run, with what is grouped by."""
    recipe = read_plan(directory).recipes[0]
    path = directory / "results.csv"
    if not path.exists():
        raise ValueError(f"{directory} has no scores yet: let its run end")
    rows = read_results(path)
    biases = zip(rows.target, rows.selected, rows.perturbable, strict=True)
    rows = rows[[target in unbiased_names(*bias) for target, *bias in biases]]
    rows = rows[rows.metric == "r2"]
    return rows.assign(
        objective=recipe.objective,
        space=recipe.output_space,
        law=rows.dependence.map(lambda law: LAWS[law].dependence),
        noise=rows.dependence.map(lambda law: LAWS[law].noise),
    )


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    """The command line."""
    compare_runs_command("experiments.studies.linearity", __doc__, linearity_table, save_linearity)


if __name__ == "__main__":
    main()
