"""Linearity: how much of what is kept is there linearly, by objective, output space and law.

python -m experiments.run --config=experiments/configs/linearity.py:siglip,cube --workdir=runs/cube
python -m experiments.run --config=experiments/configs/linearity.py:siglip,free --workdir=runs/free
python -m experiments.linearity runs/free runs/cube --table=linearity.csv --figure=linearity.png
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from ml_collections import ConfigDict
from rich.console import Console

import lvm
from experiments.heat_maps import Panel, save_heat_maps
from experiments.plan import make_plan
from experiments.results import DIGITS, read_results, unbiased_names
from experiments.stored import read_run
from experiments.whole import write_whole

GROUPS = ["objective", "space", "law", "noise"]
PROBES = {"linear": "linearly", "mlp": "by an MLP"}


def linearity_table(directories: Sequence[Path]) -> pd.DataFrame:
    """A row an objective, output space, dependence (`law`) and law of exogenous noise (`noise`).

    Columns linear and mlp: R² of an unbiased semantic by that probe, the mean over them, both
    modalities and seeds; gap: what an MLP reads more. Raises ValueError for what is no run
    directory, has no scores, or lacks one of the two probes.
    """
    rows = pd.concat([_unbiased_scores(directory) for directory in directories])
    table = rows.pivot_table(index=GROUPS, columns="probe", values="value", sort=False)
    missing = PROBES.keys() - set(table)
    if missing or table[[*PROBES]].isna().any(axis=None):
        raise ValueError(f"evaluation.probes of every run must hold {' and '.join(PROBES)}")
    table = table[[*PROBES]].reset_index().rename_axis(columns=None)
    return table.assign(gap=table.mlp - table.linear)


def save_linearity(table: pd.DataFrame, path: Path) -> None:
    """Heat maps, output space and dependence by law of noise: a column of them an objective."""
    panels = [
        [
            Panel(f"{_words(objective)},\n{how}", _cells(rows, probe))
            for objective, rows in table.groupby("objective", sort=False)
        ]
        for probe, how in PROBES.items()
    ]
    save_heat_maps(panels, path, "R² of unbiased semantics, mean")


def _unbiased_scores(directory: Path) -> pd.DataFrame:
    """The scores of unbiased semantics in a run, with what is grouped by."""
    config = ConfigDict(read_run(directory)["config"])
    recipe = make_plan(config).recipe
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
        law=rows.dependence.map(lambda name: _halves(name)[0]),
        noise=rows.dependence.map(lambda name: _halves(name)[1]),
    )


def _halves(law: str) -> tuple[str, str]:
    """The dependence and the law of exogenous noise that a joint law's name tells."""
    for noise in lvm.EXOGENOUS:
        if law.endswith(f"_{noise}"):
            return law.removesuffix(f"_{noise}"), noise
    return law, "gaussian"


def _cells(rows: pd.DataFrame, probe: str) -> pd.DataFrame:
    label = rows.space.map(_words) + ", " + rows.law.map(_words)
    cells = rows.assign(label=label, noise=rows.noise.map(_words))
    cells = cells.pivot(index="label", columns="noise", values=probe)
    return cells.loc[label.unique(), rows.noise.map(_words).unique()]


def _words(name: str) -> str:
    return name.replace("_", " ")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.linearity", description=__doc__)
    parser.add_argument("directories", type=Path, nargs="+", help="run directories")
    parser.add_argument("--table", type=Path, help="where the table goes, as CSV")
    parser.add_argument("--figure", type=Path, help="where the heat maps go, as PNG and as PDF")
    options = parser.parse_args()
    try:
        table = linearity_table(options.directories)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")
    Console().print(table.to_string(index=False, float_format="%.3f"), highlight=False)
    if options.table:
        write_whole(options.table, table.to_csv(index=False, float_format=DIGITS))
    if options.figure:
        save_linearity(table, options.figure)
        print(f"figure: {options.figure}")


if __name__ == "__main__":
    main()
