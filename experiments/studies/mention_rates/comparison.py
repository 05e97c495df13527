"""Comparison: measured beside predicted scores, and rank correlations of mention rate and score."""

import numpy as np
import pandas as pd

from experiments.audit.scores.rank_correlation import RankCorrelation, rank_correlation
from experiments.report.terminal_tables import Column

ALL = "all"  # runs together
POINTS, WITHIN = "all points", "within factors"
SEED = 0  # of permutations and bootstrap
CELL = ["run", "columns", "kind", "set_rate"]

Correlations = dict[tuple[str, str, str], RankCorrelation]


def correlations(table: pd.DataFrame) -> Correlations:
    """Returns rank correlations of mention rate and score, by run, columns and level.

    A point is a factor of a lane. At the level WITHIN only differences between the rates of one
    factor count. The run ALL has the points of all runs, if there are several.
    """
    found = {}
    runs = [(ALL, table)] if table.run.nunique() > 1 else []
    for run, of_run in [*table.groupby("run", sort=False), *runs]:
        for columns, rows in of_run.groupby("columns", sort=False):
            x, y = rows.mention_rate.to_numpy(), rows.value.to_numpy()
            factors = rows.groupby(["run", "factor"], sort=False).ngroup().to_numpy()
            for level, strata in ((POINTS, None), (WITHIN, factors)):
                rng = np.random.default_rng(SEED)
                found[run, columns, level] = rank_correlation(x, y, strata, rng=rng)
    return found


def correlation_columns(found: Correlations) -> list[Column]:
    """Returns the columns for the terminal: one row per run, columns and level."""
    runs, columns, levels = zip(*found, strict=True)
    values = found.values()
    return [
        Column("run", list(runs), True),
        Column("columns", list(columns), True),
        Column("level", list(levels), True),
        Column("points", [str(value.n) for value in values], False),
        Column("rank correlation", [f"{value.value:.2f}" for value in values], False),
        Column(
            "95 % interval", [f"{value.low:.2f} to {value.high:.2f}" for value in values], False
        ),
        Column("p", [f"{value.p_value:.4f}" for value in values], False),
    ]


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """Returns means over factors and seeds, one row per run, columns, kind and rate in the config.

    `as_predicted` is the fraction of scores on the predicted side of the middle of chance and 1.
    """
    middle = (1 + table.chance) / 2
    as_predicted = (table.value > middle) == (table.predicted > middle)
    means = table.assign(as_predicted=as_predicted).groupby(CELL, sort=False)
    return means.agg(
        points=("value", "size"),
        mention_rate=("mention_rate", "mean"),
        predicted=("predicted", "mean"),
        value=("value", "mean"),
        lowest=("value", "min"),
        highest=("value", "max"),
        as_predicted=("as_predicted", "mean"),
    ).reset_index()
