"""Score tables: scores and confusion of all groups as tidy tables, and columns for the terminal."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from experiments.report.terminal_tables import Column
from experiments.zero_shot.group_scores import GroupScores, Interval

DIGITS = "%.7g"
GROUP = ""  # in the column `concept` of scores of a whole group
LOWEST = 3  # concepts with the lowest F1 in a cell of the terminal


def score_table(scores: Sequence[GroupScores]) -> pd.DataFrame:
    """Returns the columns group, concept, metric, value, low, high and images, one row per score.

    The metrics of a concept are accuracy (its recall within the group) and f1. The metrics of a
    group, whose rows have an empty concept, are accuracy and macro_f1.
    """
    return pd.DataFrame(row for group_scores in scores for row in _score_rows(group_scores))


def confusion_table(scores: Sequence[GroupScores]) -> pd.DataFrame:
    """Returns the columns group, concept, assigned and images, one row per pair of concepts."""
    return pd.concat([_cells(group) for group in scores], ignore_index=True)


def terminal_columns(scores: Sequence[GroupScores]) -> list[Column]:
    """Returns one row per group: scores with intervals, and the concepts with the lowest F1."""
    cells = lambda write: [write(group) for group in scores]
    return [
        Column("group", cells(lambda group: group.group), True),
        Column("images", cells(lambda group: f"{group.confusion.sum():,}"), False),
        Column("accuracy", cells(lambda group: f"{group.accuracy.value:.3f}"), False),
        Column("95 % interval", cells(lambda group: _ends(group.accuracy)), False),
        Column("macro-F1", cells(lambda group: f"{group.macro_f1.value:.3f}"), False),
        Column("95 % interval", cells(lambda group: _ends(group.macro_f1)), False),
        Column("chance", cells(lambda group: f"{1 / len(group.concepts):.3f}"), False),
        Column("lowest F1", cells(_lowest), True),
    ]


def _cells(group: GroupScores) -> pd.DataFrame:
    concepts, count = np.array(group.concepts, object), len(group.concepts)
    return pd.DataFrame(
        {
            "group": group.group,
            "concept": concepts.repeat(count),
            "assigned": np.tile(concepts, count),
            "images": group.confusion.ravel(),
        }
    )


def _score_rows(scores: GroupScores) -> Iterator[dict]:
    images = scores.confusion.sum(1)
    for index, concept in enumerate(scores.concepts):
        for metric, interval in (("accuracy", scores.accuracy_of), ("f1", scores.f1_of)):
            ends = Interval(*(part[index] for part in interval))
            yield _row(scores.group, concept, metric, ends, images[index])
    for metric in ("accuracy", "macro_f1"):
        yield _row(scores.group, GROUP, metric, getattr(scores, metric), images.sum())


def _row(group: str, concept: str, metric: str, interval: Interval, images: int) -> dict:
    ends = {name: float(end) for name, end in interval._asdict().items()}
    return {"group": group, "concept": concept, "metric": metric, **ends, "images": int(images)}


def _ends(interval: Interval) -> str:
    return f"{interval.low:.3f} to {interval.high:.3f}"


def _lowest(group: GroupScores) -> str:
    order = np.argsort(group.f1_of.value, kind="stable")[:LOWEST]
    return ", ".join(f"{group.concepts[index]} {group.f1_of.value[index]:.2f}" for index in order)
