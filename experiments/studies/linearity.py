"""Linearity: are kept semantics linearly decodable, by objective, output space and noise law?

misalign run linearity:siglip,free --workdir=runs/free
misalign run linearity:siglip,cube --workdir=runs/cube
misalign studies.linearity runs/free runs/cube --figure=linearity.png
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.report.heat_maps import Panel, save_heat_maps
from experiments.report.run_tables import run_table_command
from experiments.report.tables import with_roles
from experiments.rundir.results import read_scores
from experiments.sweep.loading import read_plan

GROUPS = ["objective", "space", "dependence", "noise_law"]
PROBES = {"linear": "by a linear probe", "mlp": "by an MLP"}


def linearity_table(directories: Sequence[Path]) -> pd.DataFrame:
    """Returns one row per objective, output space, dependence and noise law.

    linear, mlp: mean R² of unbiased semantics by that probe, over semantics, modalities and seeds.
    gap:         R² of the MLP minus that of the linear probe.

    Raises ValueError if a path is not a run directory, has no scores, or lacks one of the probes,
    and for two runs of one objective in one space.
    """
    parts = [_kept_scores(directory) for directory in directories]
    kinds = [tuple(part.iloc[0][["objective", "space"]]) for part in parts]
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise ValueError(f"two runs have {kind[0]} in space {kind[1]}: give one of them")
    if not all(set(PROBES) <= set(part.probe) for part in parts):
        raise ValueError(f"evaluation.probes of every run must hold {' and '.join(PROBES)}")
    rows = pd.concat(parts)
    mean = lambda values: values.mean(skipna=False)  # a lane that diverged has no mean
    means = rows.groupby([*GROUPS, "probe"], sort=False).role_score.agg(mean)
    table = means.unstack().loc[means.index.droplevel("probe").drop_duplicates()]
    table = table[[*PROBES]].reset_index().rename_axis(columns=None)
    return table.assign(gap=table.mlp - table.linear)


def save_linearity(table: pd.DataFrame, path: Path) -> None:
    """Draws `linearity_panels` and writes the files of `save_figure`."""
    caption = (
        "Mean R² of unbiased semantics by a linear probe and by an MLP: one row per output space "
        "and dependence, one column per law of the exogenous noise, one pair of panels per "
        "objective."
    )
    save_heat_maps(linearity_panels(table), path, "mean R² of unbiased semantics", caption)


def linearity_panels(table: pd.DataFrame) -> list[list[Panel]]:
    """Returns heat maps of output space and dependence by noise law, one column per objective."""
    cells = table.assign(
        label=table.space.map(_words) + ", " + table.dependence.map(_words),
        noise_law=table.noise_law.map(_words),
    )
    labels, laws = cells.label.unique(), cells.noise_law.unique()

    def panel(objective, rows, probe):
        values = rows.pivot(index="label", columns="noise_law", values=probe)
        title = f"{_words(objective)},\n{PROBES[probe]}"
        return Panel(title, values.reindex(index=labels, columns=laws))

    return [
        [panel(*group, probe) for group in cells.groupby("objective", sort=False)]
        for probe in PROBES
    ]


def _kept_scores(directory: Path) -> pd.DataFrame:
    """The R² of unbiased semantics in a run, with the columns of GROUPS."""
    plan = read_plan(directory)
    recipe = plan.recipes[0]
    rows = read_scores(directory, plan.domain.scores_per_lane)
    rows = with_roles(rows[rows.metric == "r2"])
    return rows[rows.role == "kept"].assign(objective=recipe.objective, space=recipe.output_space)


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    """Runs the command line."""
    columns = (*GROUPS, *PROBES)
    run_table_command(
        "misalign studies.linearity", __doc__, linearity_table, save_linearity, columns=columns
    )


if __name__ == "__main__":
    main()
