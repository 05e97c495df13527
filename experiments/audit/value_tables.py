"""Value tables: mention rates of all values, and their statistics by group."""

from collections.abc import Sequence

import pandas as pd

from experiments.audit.group_statistics import value_statistics
from experiments.audit.rate_tables import percent
from experiments.audit.rates import GroupRates
from experiments.report.terminal_tables import Column


def value_table(rates: Sequence[GroupRates], captions: int) -> pd.DataFrame:
    """Returns one row per value: the captions that mention it, their rate and its 95 % interval.

    captions: number of captions.
    """
    return pd.DataFrame(
        {
            "group": group_rates.group,
            "concept": value.value,
            "captions": captions,
            "mentioned": value.mentioned,
            "selection_rate": value.rate.value,
            "selection_low": value.rate.low,
            "selection_high": value.rate.high,
        }
        for group_rates in rates
        for value in group_rates.values
    )


def statistics_columns(rates: Sequence[GroupRates]) -> list[Column]:
    """Returns the columns for the terminal: one row per group with its `value_statistics`."""
    rows = [value_statistics(group_rates) for group_rates in rates]
    covered = lambda row: f"{row['concepts_mentioned']}/{row['concepts']}"
    extreme = lambda row, name: f"{row[f'{name}_concept']} {percent(row[f'{name}_rate'])}"
    return [
        Column("group", [group_rates.group for group_rates in rates], True),
        Column("covered", [covered(row) for row in rows], False),
        Column("mean", [percent(row["mean_rate"]) for row in rows], False),
        Column("median", [percent(row["median_rate"]) for row in rows], False),
        Column("lowest", [extreme(row, "lowest") for row in rows], True),
        Column("highest", [extreme(row, "highest") for row in rows], True),
    ]
