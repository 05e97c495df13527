"""Misalignment: scores against the rate of misalignment, one panel per kind.

misalign studies.misalignment runs/misalignment
"""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import lvm
from experiments.domains import read_domain
from experiments.report.curves import (
    BIASED,
    UNBIASED,
    grid,
    kept_names,
    legend,
    name_ends,
    panel_title,
)
from experiments.report.figure_files import points, save_figure
from experiments.report.tables import (
    aggregate_seeds,
    has_exact_size,
    main_probe,
    metric_name,
    target_rows,
)
from experiments.rundir.checkpoint_files import read_run
from experiments.rundir.hyperparameters import hyperparameter_labels
from experiments.rundir.results import NOT_SEMANTICS, read_scores
from experiments.runtime.user_errors import user_errors

PANEL = ["setting", "law", "encoding_size", "hyperparameters"]
TEXT, IMAGE = dict(alpha=0.5, marker="x"), dict(marker="o")
ATTAINABLE = dict(color="0.3", ls=":")
CAPTION = dict(color="0.8", zorder=0)
CAPTION_WIDTH = 3  # points


def rate_panels(cells: pd.DataFrame) -> list[pd.DataFrame]:
    """Returns the cells of every setting, law and size that was trained at several rates.

    Cells of different hyperparameters are apart.
    """
    cells = target_rows(cells, main_probe(cells))
    cells = cells[~cells.target.isin(NOT_SEMANTICS)]
    cells = cells.assign(hyperparameters=hyperparameter_labels(cells))
    groups = cells.groupby(PANEL, sort=False)
    return [rows for _, rows in groups if rows.noise_probability.nunique() > 1]


def save_rates(groups: list[pd.DataFrame], path: Path, captions: int = 1) -> Path:
    """Draws the score of every semantic against the rate, from images and texts, and attainable."""
    metric = metric_name(groups[0])
    caption = (
        f"{metric} of every semantic against the rate of misalignment, one panel per kind, law of "
        "the semantics and encoding size. Names stand where the lines of images end. Attainable is "
        "the best score of a misaligned semantic from the unbiased ones; the grey band is the best "
        "score from its value in the caption, where semantics are independent."
    )
    save_figure(partial(_rates, groups, metric, captions), path, caption)
    return path


def _rates(groups: list[pd.DataFrame], metric: str, captions: int) -> Figure:
    figure, axes = grid(len(groups))
    for axis, rows in zip(axes, groups, strict=True):
        _panel(axis, rows, captions)
    figure.supxlabel("rate of misalignment (strength: fraction of noise)")
    figure.supylabel(metric)
    styles = {
        "unbiased, from the image": UNBIASED | IMAGE,
        "from the text": UNBIASED | TEXT,
        "misaligned, from the image": BIASED | IMAGE,
        "from the text ": BIASED | TEXT,
        "attainable": ATTAINABLE,
        "in the caption": CAPTION | {"lw": points(CAPTION_WIDTH)},
    }
    legend(figure, styles, columns=3)
    return figure


def _panel(axis, rows: pd.DataFrame, captions: int) -> None:
    first = rows.iloc[0]
    unbiased = kept_names(rows)
    lines = rows.sort_values("noise_probability").groupby(["modality", "target"], sort=False)
    for (modality, target), line in lines:
        style = UNBIASED if target in unbiased else BIASED
        rate, score = line.noise_probability, line["mean"].clip(0, 1)
        axis.plot(rate, score, **style, **(IMAGE if modality == "x" else TEXT))
        if modality == "x" and (target not in unbiased or (line.attainable < 1).any()):
            axis.plot(rate, line.attainable.clip(0, 1), **ATTAINABLE)
    if first.dependence == "independent":
        rates = np.linspace(0, 1, 101)
        scores = [lvm.caption_r2(first.misalignment, rate, captions) for rate in rates]
        axis.plot(rates, scores, lw=points(CAPTION_WIDTH), **CAPTION)
    at_end = rows[rows.noise_probability == rows.noise_probability.max()]
    from_images = at_end[at_end.modality == "x"].set_index("target")["mean"]
    name_ends(axis, from_images.clip(0, 1).dropna().to_dict())
    size = "" if has_exact_size(rows).all() else f", {first.encoding_size} columns"
    title = f"{first.setting}{size}, {first.law}{first.hyperparameters}"
    axis.set_title(panel_title(title, rows.target.nunique()))


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign studies.misalignment", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory")
    directory = parser.parse_args().directory
    with user_errors():
        captions = read_run(directory)["config"]["world"].get("captions", 1)
        scores = read_scores(directory, read_domain(directory).scores_per_lane)
        panels = rate_panels(aggregate_seeds(scores))
        if not panels:
            raise ValueError(f"{directory} has no setting at several rates")
        path = directory / "figures" / "rates.png"
        print(f"figure: {save_rates(panels, path, captions)}")


if __name__ == "__main__":
    main()
