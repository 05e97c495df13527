"""Figures of a run, drawn from the cells of `tables.aggregate_seeds`."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from experiments.report.heat_maps import DIFFERENCES, Panel, save_heat_maps
from experiments.report.tables import (
    add_full_selection,
    main_probe,
    metric_name,
    setting_labels,
    target_rows,
)
from experiments.rundir.results import HEAD, MODALITIES

ENVIRONMENTS = {"same": "in distribution", "shifted": "shifted"}


class View(NamedTuple):
    """The content of a panel: title, cells by the values of their columns, and the value shown."""

    title: str
    where: dict[str, str]
    value: str


def save_figures(cells: pd.DataFrame, directory: Path) -> dict[str, Path]:
    """Draws every heat map that the cells allow; returns the paths by title.

    Perturbation begins with full selection and no noise, as in the paper.

    r2.png:               all settings by the main probe (matthews.png if that is the metric).
    STUDY_r2_PROBE.png:   figures 3 and 7 (mlp), 8 and 9 (linear) of the paper; 5 and 12 for
                          photographs.
    STUDY_error.png:      measured - attainable by the main probe.
    STUDY_downstream.png: figures 4 and 10.
    """
    figures = {}
    main = main_probe(cells)
    figures["All settings"] = save_scores(cells, directory, "", main)
    for study, of_study in add_full_selection(cells).groupby("study", sort=False):
        file, title = study.replace(" ", "_"), study.capitalize()
        for probe in target_rows(of_study).probe.unique():
            name = f"{title}: {metric_name(of_study)} by the {probe} probe"
            figures[name] = save_scores(of_study, directory, f"{file}_", probe)
        path = directory / f"{file}_error.png"
        figures[f"{title}: measured - attainable"] = save_error(of_study, path, main)
        if (of_study.probe == HEAD).any():
            path = directory / f"{file}_downstream.png"
            figures[f"{title}: downstream tasks"] = save_downstream(of_study, path)
    return figures


def save_scores(cells: pd.DataFrame, directory: Path, prefix: str, probe: str) -> Path:
    """Draws the scores of every target, measured from both modalities, and attainable.

    The paper's scores of images follow if the cells have them. The file is named by the metric,
    and by the probe if it has a prefix.
    """
    cells = target_rows(cells, probe)
    metric = "_".join(cells.metric.unique())
    path = directory / (f"{prefix}{metric}_{probe}.png" if prefix else f"{metric}.png")
    panels = [
        View("image, measured", {"modality": "x"}, "mean"),
        View("text, measured", {"modality": "t"}, "mean"),
        View("attainable", {"modality": "x"}, "attainable"),
    ]
    if "paper" in cells and cells.paper[cells.modality == "x"].notna().any():
        panels.append(View("image, in the paper", {"modality": "x"}, "paper"))
    save_heat_maps(_rows(cells, panels), path, f"{metric_name(cells)} ({probe} probe)")
    return path


def save_error(cells: pd.DataFrame, path: Path, probe: str) -> Path:
    """Draws measured minus attainable scores, in hundredths."""
    cells = target_rows(cells, probe)
    cells = cells.assign(error=cells["mean"] - cells.attainable)
    panels = [View(name, {"modality": key}, "error") for key, name in MODALITIES.items()]
    label = f"{metric_name(cells)} ({probe} probe), measured - attainable; cells in hundredths"
    save_heat_maps(_rows(cells, panels), path, label, DIFFERENCES)
    return path


def save_downstream(cells: pd.DataFrame, path: Path) -> Path:
    """Draws the scores of downstream heads on image representations in both environments."""
    cells = cells[cells.probe == HEAD]
    classes = cells.target + " class"
    cells = cells.assign(target=cells.target.where(cells.metric == "r2", classes))
    panels = [
        View(f"{name}, {title}", {"environment": environment}, value)
        for environment, name in ENVIRONMENTS.items()
        for title, value in (("measured", "mean"), ("attainable", "attainable"))
    ]
    save_heat_maps(_rows(cells, panels), path, "R²; Matthews correlation (class)")
    return path


def _rows(cells: pd.DataFrame, views: Sequence[View]) -> list[list[Panel]]:
    """One row of panels for each law of the semantics, one panel for each view."""
    return [
        [Panel(f"{law} semantics\n{view.title}", _table(of_law, view)) for view in views]
        for law, of_law in cells.groupby("law", sort=False)
    ]


def _table(cells: pd.DataFrame, view: View) -> pd.DataFrame:
    """One row per setting, one column per target, both in the order of the results."""
    for column, value in view.where.items():
        cells = cells[cells[column] == value]
    cells = cells.assign(label=setting_labels(cells))
    table = cells.pivot(index="label", columns="target", values=view.value)
    return table.loc[cells.label.unique(), cells.target.unique()]
