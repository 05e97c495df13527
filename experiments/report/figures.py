"""Figures of a run, drawn from the cells of `tables.aggregate_seeds`."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from experiments.report.figure_files import PRINT, Style
from experiments.report.figure_text import short_labels
from experiments.report.heat_maps import SCORES, Panel, difference_scale, save_heat_maps
from experiments.report.tables import (
    add_full_selection,
    main_probe,
    metric_name,
    setting_labels,
    target_rows,
)
from experiments.rundir.lane_identity import REVERSE
from experiments.rundir.results import HEAD, MODALITIES, NOT_SEMANTICS

ENVIRONMENTS = {"same": "in distribution", "shifted": "shifted"}
NUMERICAL = {
    ("selection", "mlp"): 3, ("selection", HEAD): 4, ("perturbation", "mlp"): 7,
    ("selection", "linear"): 8, ("perturbation", "linear"): 9, ("perturbation", HEAD): 10,
}  # fmt: skip
BOTH = ("selection", "perturbation")
PAPER_FIGURES = {  # of the paper, by domain, study and probe
    "latents": NUMERICAL,
    "mpi3d": {(study, "mlp"): 5 for study in BOTH} | {(study, "logistic"): 12 for study in BOTH},
    "scenes": {(study, "mlp"): 6 for study in BOTH} | {(study, "linear"): 17 for study in BOTH},
}
PAPER_FIGURES["causal3dident"] = PAPER_FIGURES["scenes"]
PAPER_SEMANTICS = {f"s{number}" for number in range(1, 11)}  # of the numerical section


class View(NamedTuple):
    """The content of a panel: title, cells by the values of their columns, and the value shown."""

    title: str
    where: dict[str, str]
    value: str
    decimals: int = 2


def save_figures(
    cells: pd.DataFrame, directory: Path, domain: str = "", style: Style = PRINT
) -> dict[str, Path]:
    """Draws every heat map that the cells allow; returns the paths by title.

    Perturbation begins with full selection and no noise, as in the paper.

    r2.png:                   all settings by the main probe (matthews.png if that is the metric).
    STUDY_r2_PROBE.png:       a study by one probe. A figure of the paper has its number and no
                              probe, as in figure_3_selection_r2.png.
    STUDY_error.png:          measured - attainable by the main probe.
    STUDY_downstream.png:     downstream tasks; figures 4 and 10 of the paper.
    """
    figures = {}
    main = main_probe(cells)
    figures["All settings"] = save_scores(cells, directory, "", main, style=style)
    numbers = _paper_numbers(cells, domain)
    for study, of_study in add_full_selection(cells).groupby("study", sort=False):
        file, title = study.replace(" ", "_"), study.capitalize()
        for probe in target_rows(of_study).probe.unique():
            name = f"{title}: {metric_name(of_study)} by the {probe} probe"
            number = numbers.get((study, probe))
            figures[name] = save_scores(
                of_study, directory, f"{file}_", probe, number=number, style=style
            )
        path = directory / f"{file}_error.png"
        figures[f"{title}: measured - attainable"] = save_error(of_study, path, main, style)
        if (of_study.probe == HEAD).any():
            number = numbers.get((study, HEAD))
            path = directory / f"{_prefix(number)}{file}_downstream.png"
            figures[f"{title}: downstream tasks"] = save_downstream(of_study, path, number, style)
    return figures


def save_scores(
    cells: pd.DataFrame,
    directory: Path,
    prefix: str,
    probe: str,
    *,
    number: int | None = None,
    style: Style = PRINT,
) -> Path:
    """Draws the scores of every target, measured from both modalities, and attainable.

    The paper's scores of images follow if the cells have them. The file is named by the metric,
    and by the number of the paper's figure, or the probe if it has a prefix.
    """
    cells = target_rows(cells, probe)
    metric = "_".join(cells.metric.unique())
    name = f"{_prefix(number)}{prefix}{metric}" + f"_{probe}" * bool(prefix and number is None)
    panels = [
        View("image, measured", {"modality": "x"}, "mean"),
        View("text, measured", {"modality": "t"}, "mean"),
        View("attainable", {"modality": "x"}, "attainable"),
    ]
    if "paper" in cells and cells.paper[cells.modality == "x"].notna().any():
        panels.append(View("image, in the paper", {"modality": "x"}, "paper", decimals=1))
    caption = (
        f"{metric_name(cells)} of every latent by the {probe} probe, from image and from text "
        f"representations, beside the best attainable score from the unbiased semantics; one row "
        f"per setting, {_seeds(cells)}."
    )
    forward = cells[cells.target != REVERSE]
    path = directory / f"{name}.png"
    label = f"{metric_name(cells)} ({probe} probe)"
    caption = " ".join([caption, *_reverse_note(cells), *_number_note(number)])
    save_heat_maps(_rows(forward, panels), path, label, caption, style=style)
    return path


def save_error(cells: pd.DataFrame, path: Path, probe: str, style: Style = PRINT) -> Path:
    """Draws measured minus attainable scores, in hundredths."""
    cells = target_rows(cells, probe)
    cells = cells.assign(error=cells["mean"] - cells.attainable)
    panels = [View(name, {"modality": key}, "error") for key, name in MODALITIES.items()]
    label = f"{metric_name(cells)} ({probe} probe), measured - attainable"
    caption = (
        f"Difference of measured and attainable {metric_name(cells)} by the {probe} probe, in "
        f"hundredths; empty cells are rounded to 0; {_seeds(cells)}."
    )
    forward = cells[cells.target != REVERSE]
    scale = difference_scale(forward.error.abs().max())
    save_heat_maps(_rows(forward, panels), path, label, caption, scale=scale, style=style)
    return path


def save_downstream(
    cells: pd.DataFrame, path: Path, number: int | None = None, style: Style = PRINT
) -> Path:
    """Draws the scores of downstream heads on image representations in both environments."""
    cells = cells[cells.probe == HEAD]
    classes = cells.target + " class"
    cells = cells.assign(target=cells.target.where(cells.metric == "r2", classes))
    panels = [
        View(f"{name}, {title}", {"environment": environment}, value)
        for environment, name in ENVIRONMENTS.items()
        for title, value in (("measured", "mean"), ("attainable", "attainable"))
    ]
    caption = (
        "Downstream tasks on image representations, in distribution and under the shift: R² of "
        f"regressions, Matthews correlation of classes, {_seeds(cells)}; attainable is the score "
        "of the same head on the true unbiased semantics."
    )
    caption = " ".join([caption, *_number_note(number)])
    label = "R²; Matthews correlation (class)"
    save_heat_maps(_rows(cells, panels), path, label, caption, scale=SCORES, style=style)
    return path


def _paper_numbers(cells: pd.DataFrame, domain: str) -> dict[tuple[str, str], int]:
    """Numbers of the paper's figures by study and probe; {} for studies of other latents."""
    numbers = PAPER_FIGURES.get(domain, {})
    if domain != "latents":
        return numbers
    same = set(target_rows(cells).target) - set(NOT_SEMANTICS) == PAPER_SEMANTICS
    same &= set(cells.law) <= {"independent", "dependent"}
    first = cells.setting.str.fullmatch(r"(select|perturb) \[\d+\]").groupby(cells.study).all()
    return {key: number for key, number in numbers.items() if same and first.get(key[0])}


def _prefix(number: int | None) -> str:
    return "" if number is None else f"figure_{number}_"


def _number_note(number: int | None) -> list[str]:
    return [] if number is None else [f"Figure {number} of the paper."]


def _seeds(cells: pd.DataFrame) -> str:
    seeds = int(cells.seeds.max())
    return f"mean over {seeds} seeds" if seeds > 1 else "one seed"


def _reverse_note(cells: pd.DataFrame) -> list[str]:
    """A sentence on the reverse direction, which is no column of the figure."""
    reverse = cells["mean"][cells.target == REVERSE]
    if reverse.empty:
        return []
    lowest = np.floor(1000 * reverse.min(skipna=False)) / 1000
    return [
        f"In the reverse direction, representations from unbiased latents: {lowest:.3f} or more."
    ]


def _rows(cells: pd.DataFrame, views: Sequence[View]) -> list[list[Panel]]:
    """One row of panels for each law of the semantics, one panel for each view."""
    several = cells.law.nunique() > 1
    return [
        [
            Panel(f"{law}\n" * several + view.title, _table(of_law, view), view.decimals)
            for view in views
        ]
        for law, of_law in cells.groupby("law", sort=False)
    ]


def _table(cells: pd.DataFrame, view: View) -> pd.DataFrame:
    """One row per setting, one column per target, both in the order of the results."""
    semantics = len(set(cells.target) - set(NOT_SEMANTICS))
    for column, value in view.where.items():
        cells = cells[cells[column] == value]
    cells = cells.assign(label=setting_labels(cells))
    table = cells.pivot(index="label", columns="target", values=view.value)
    table = table.loc[cells.label.unique(), cells.target.unique()]
    labels = [_without_common_size(label, cells) for label in table.index]
    return table.set_axis(short_labels(labels, semantics))


def _without_common_size(label: str, cells: pd.DataFrame) -> str:
    """A label without the encoding size, if all cells have the same."""
    sizes = cells.encoding_size.unique()
    return label.replace(f", size {sizes[0]}", "") if len(sizes) == 1 else label
