"""Confusion figures: the confusion matrix of each group, readable in grey."""

import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure
from experiments.report.figure_text import plain_text
from experiments.zero_shot.group_scores import GroupScores

CELL = 0.32  # inches
LARGEST = 24.0  # inches of a matrix
MOST_NUMBERED = 40  # concepts of a matrix whose cells show numbers
POINTS = 72  # of an inch


def save_confusion(scores: GroupScores, path: Path) -> None:
    """Writes the confusion matrix of a group, as PNG at `path` and as PDF beside it.

    Rows are true concepts, columns assigned ones; a cell is the percentage of the images of its
    row. Numbers are shown for up to MOST_NUMBERED concepts.
    """
    images = scores.confusion.sum(1)
    percent = 100 * scores.confusion / images[:, None]
    count = len(scores.concepts)
    side = min(max(CELL * count, 1.2), LARGEST)
    figure = Figure(figsize=(side + 2.2, side + 1.8), layout="constrained")
    axis = figure.subplots()
    heat = axis.imshow(percent, vmin=0, vmax=100, cmap="Greys")
    size = min(8.0, 0.8 * POINTS * side / count)
    if count <= MOST_NUMBERED:
        _write_numbers(axis, percent)
    names = list(map(plain_text, scores.concepts))
    counted = [f"{name} ({number:,})" for name, number in zip(names, images, strict=True)]
    axis.set_xticks(range(count), names, rotation=90, fontsize=size)
    axis.set_yticks(range(count), counted, fontsize=size)
    axis.tick_params(length=0)
    axis.set_xlabel("assigned concept", fontsize=8)
    axis.set_ylabel("true concept (images)", fontsize=8)
    macro = scores.macro_f1
    title = f"{plain_text(scores.group)}: accuracy {scores.accuracy.value:.2f}, macro-F1"
    axis.set_title(f"{title} {macro.value:.2f}", fontsize=9)
    bar = figure.colorbar(heat, ax=axis, fraction=0.05, pad=0.02)
    bar.set_label("% of the images of the row", fontsize=8)
    bar.ax.tick_params(labelsize=8)
    save_figure(figure, path)


def figure_name(group: str) -> str:
    """Returns the file name of a group's figure, distinct for distinct groups.

    Characters other than letters, digits, spaces, full stops, _ and - are written as their code.
    """
    escaped = re.sub(r"[^\w .-]", lambda sign: f"%{ord(sign[0]):02X}", group)
    return f"confusion_{escaped}.png"


def _write_numbers(axis, percent: np.ndarray) -> None:
    for (row, column), value in np.ndenumerate(percent):
        if value >= 0.5:
            ink = "white" if value > 50 else "black"
            axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7, color=ink)
