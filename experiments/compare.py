"""Compare: puts several runs side by side, with the kept and leaked scores of every setting.

misalign compare runs/a runs/b --figure=compared.png
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from experiments.domains import read_domain
from experiments.report.heat_maps import Panel, save_heat_maps
from experiments.report.run_tables import run_table_command
from experiments.report.tables import (
    aggregate_seeds,
    main_probe,
    metric_name,
    setting_labels,
    target_rows,
    with_roles,
)
from experiments.rundir.lane_identity import REVERSE
from experiments.rundir.results import read_scores

COLUMNS = ("label", "run", "metric", "least kept", "most leaked")
SCORES = {"kept": "least kept", "leaked": "most leaked", "reverse": "least reverse"}


def compare(directories: Sequence[Path]) -> pd.DataFrame:
    """Returns one row per setting of a run: least kept, most leaked and least reverse score.

    They are over both modalities, of means over seeds by the main probe; latents of one modality
    are left out. Raises ValueError if a path is not a run directory, has no scores, or is given
    twice.
    """
    tables = map(_compare_one, directories, _run_names(directories))
    table = pd.concat(tables, ignore_index=True)
    reverse = SCORES["reverse"]
    return table if table[reverse].notna().any() else table.drop(columns=reverse)


def save_comparison(table: pd.DataFrame, path: Path) -> None:
    """Draws heat maps of settings and runs, one for each score, and writes a figure's files.

    Rows are settings, or runs if there are more of these.
    """
    panels = [
        Panel(name, _in_order(table.pivot(index="label", columns="run", values=name), table))
        for name in SCORES.values()
        if name in table
    ]
    if table.run.nunique() > table.label.nunique():
        panels = [panel._replace(cells=panel.cells.T) for panel in panels]
    metric = table.metric.iloc[0]
    caption = (
        f"{metric} by run and setting, over both modalities: lowest of an unbiased semantic (least "
        "kept), largest excess of a biased semantic over attainable (most leaked), and lowest of "
        "the representation from the unbiased latents (least reverse)."
    )
    save_heat_maps([panels], path, metric, caption)


def _run_names(directories: Sequence[Path]) -> list[str]:
    """The shortest ends of the paths that differ.

    Raises ValueError for a directory that is given twice.
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


def _compare_one(directory: Path, name: str) -> pd.DataFrame:
    domain = read_domain(directory)
    cells = aggregate_seeds(read_scores(directory, domain.scores_per_lane))
    cells = target_rows(cells, main_probe(cells))
    laws = ", " + cells.law if cells.law.nunique() > 1 else ""
    cells = cells.assign(label=setting_labels(cells) + laws)
    cells = with_roles(cells[cells.target.isin((*domain.semantics, REVERSE))], value="mean")
    scores = {title: cells.role_score.where(cells.role == role) for role, title in SCORES.items()}
    groups = cells.assign(**scores).groupby("label", sort=False)
    extremes = {title: "max" if role == "leaked" else "min" for role, title in SCORES.items()}
    return groups.agg(extremes).reset_index().assign(run=name, metric=metric_name(cells))


def _in_order(pivoted: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    return pivoted.loc[table.label.unique(), table.run.unique()]


def main() -> None:
    """Runs the command line."""
    run_table_command("misalign compare", __doc__, compare, save_comparison, columns=COLUMNS)


if __name__ == "__main__":
    main()
