"""Confusion figures: the confusion matrix of each group, readable in grey."""

import math
import re
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.cells import cell_len

from experiments.report.figure_files import SMALLEST, TEXT_WIDTH, new_figure, points, save_figure
from experiments.report.figure_text import plain_text
from experiments.zero_shot.group_scores import GroupScores

CELL = 0.2  # inches, for a number of three digits
NAME = 0.11  # inches of the height of a name
LETTER = 0.055  # inches of a letter of a name


def save_confusion(scores: GroupScores, path: Path) -> None:
    """Draws the confusion matrix of a group and writes the files of `save_figure`.

    Rows are true concepts, columns assigned ones; a cell is the percentage of the images of its
    row. Numbers and names are left out where they do not fit on a page.
    """
    caption = (
        f"Confusion matrix of the group {scores.group}: percentage of the images of each concept "
        "(row) that are assigned to each concept (column). Accuracy "
        f"{scores.accuracy.value:.2f}, macro-F1 {scores.macro_f1.value:.2f}."
    )
    save_figure(partial(_confusion, scores), path, caption)


def _confusion(scores: GroupScores) -> Figure:
    images = scores.confusion.sum(1)
    percent = 100 * scores.confusion / images[:, None]
    count = len(scores.concepts)
    names = list(map(plain_text, scores.concepts))
    counted = [f"{name} ({number:,})" for name, number in zip(names, images, strict=True)]
    beside = LETTER * max(map(cell_len, counted)) + 0.9  # inches of names and colour bar
    side = min(max(CELL * count, 1.2), TEXT_WIDTH - beside)
    figure = new_figure(side + LETTER * max(map(cell_len, names)) + 0.6, side + beside)
    axis = figure.subplots()
    heat = axis.imshow(percent, vmin=0, vmax=100, cmap="Greys")
    if CELL * count <= side:
        _write_numbers(axis, percent)
    every = max(1, math.ceil(NAME * count / side))  # one of so many has a name
    axis.set_xticks(range(0, count, every), names[::every], rotation=90)
    axis.set_yticks(range(0, count, every), counted[::every])
    axis.tick_params(length=0)
    axis.set_xlabel("assigned concept")
    axis.set_ylabel("true concept (images)")
    axis.set_title(f"{plain_text(scores.group)}: macro-F1 {scores.macro_f1.value:.2f}")
    figure.colorbar(heat, ax=axis, fraction=0.05, pad=0.02, label="% of the images of the row")
    return figure


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
            style = dict(ha="center", va="center", fontsize=points(SMALLEST), color=ink)
            axis.text(column, row, f"{value:.0f}", **style)
