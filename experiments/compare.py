"""Compare: several runs side by side, what each kept and leaked in every setting.

python -m experiments.compare runs/a runs/b --figure=compared.png
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from ml_collections import ConfigDict

from experiments.domains import make_domain
from experiments.report.heat_maps import Panel, save_heat_maps
from experiments.report.run_tables import compare_runs_command
from experiments.report.tables import (
    main_probe,
    metric_name,
    of_targets,
    over_seeds,
    setting_labels,
)
from experiments.rundir.checkpoint_files import read_run
from experiments.rundir.results import REVERSE, read_results, unbiased_names

KEPT, LEAKED, REVERSED = "least kept", "most leaked", "least reverse"


def compare(directories: Sequence[Path]) -> pd.DataFrame:
    """A row a setting of a run: lowest score of an unbiased semantic, largest excess of another.

    Both are over the modalities, of means over seeds by the main probe; an excess is that over the
    attainable score; latents of one modality alone are left out. Where it was measured, beside them
    the lowest score of the reverse direction. Raises ValueError for what is no run directory or has
    no scores, or is given twice.
    """
    tables = map(_one, directories, _names(directories))
    table = pd.concat(tables, ignore_index=True)
    return table if table[REVERSED].notna().any() else table.drop(columns=REVERSED)


def save_comparison(table: pd.DataFrame, path: Path) -> None:
    """Heat maps, settings by runs, one a score, as PNG and PDF."""
    panels = [
        Panel(name, _in_order(table.pivot(index="label", columns="run", values=name), table))
        for name in (KEPT, LEAKED, REVERSED)
        if name in table
    ]
    save_heat_maps([panels], path, table.metric.iloc[0])


def _names(directories: Sequence[Path]) -> list[str]:
    """The ends of the paths, no longer than tells them apart.

    Raises ValueError for a folder that is given twice.
    """
    paths = [directory.resolve() for directory in directories]
    for path in paths:
        if paths.count(path) > 1:
            raise ValueError(f"{path} is given twice: give each run once")
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def _one(directory: Path, name: str) -> pd.DataFrame:
    semantics = make_domain(ConfigDict(read_run(directory)["config"])).semantics
    path = directory / "results.csv"
    if not path.exists():
        raise ValueError(f"{directory} has no scores yet: let its run end")
    cells = over_seeds(read_results(path))
    cells = of_targets(cells, main_probe(cells))
    laws = ", " + cells.dependence if cells.dependence.nunique() > 1 else ""
    cells = cells.assign(label=setting_labels(cells) + laws)
    cells = cells[cells.target.isin((*semantics, REVERSE))]
    biases = zip(cells.target, cells.selected, cells.perturbable, strict=True)
    kept = pd.Series([t in unbiased_names(*bias) for t, *bias in biases], cells.index)
    back = cells.target == REVERSE
    measured, excess = cells["mean"], cells["mean"] - cells.attainable
    scores = {KEPT: measured.where(kept), LEAKED: excess.mask(kept | back)}
    by_label = cells.assign(**scores, **{REVERSED: measured.where(back)}).groupby(
        "label", sort=False
    )
    table = by_label.agg({KEPT: "min", LEAKED: "max", REVERSED: "min"}).reset_index()
    return table.assign(run=name, metric=metric_name(cells))


def _in_order(pivoted: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    return pivoted.loc[table.label.unique(), table.run.unique()]


def main() -> None:
    """The command line."""
    compare_runs_command("experiments.compare", __doc__, compare, save_comparison)


if __name__ == "__main__":
    main()
