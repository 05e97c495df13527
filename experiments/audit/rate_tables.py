"""Rate tables: the rates of each group, for the terminal and as a tidy table."""

from collections.abc import Sequence

import pandas as pd

from experiments.audit.expectation import expected
from experiments.audit.group_statistics import value_statistics
from experiments.audit.rates import GroupRates, Rate
from experiments.report.terminal_tables import Column

UNKNOWN = Rate(float("nan"), float("nan"), float("nan"))
SHOWN_VALUES = 3  # most mentioned values in a cell


def tidy_table(rates: Sequence[GroupRates], captions: int) -> pd.DataFrame:
    """Returns one row per group: counts, rates with 95 % intervals, outcome, `value_statistics`.

    A rate that needs labels is NaN for a group without labels.

    captions: number of captions.
    """
    return pd.DataFrame([_row(group_rates, captions) for group_rates in rates])


def as_csv(table: pd.DataFrame) -> str:
    """Returns a tidy table as CSV, numbers with seven digits."""
    return table.to_csv(index=False, float_format="%.7g")


def terminal_columns(rates: Sequence[GroupRates]) -> list[Column]:
    """Returns the columns for the terminal, without perturbation rates if there are no labels."""
    wrong = lambda write: [write(rate.perturbation) if rate.perturbation else "–" for rate in rates]
    columns = [
        Column("group", [rate.group for rate in rates], True),
        Column("mentioned by", [percent(rate.selection.value) for rate in rates], False),
        Column("95 % interval", [interval(rate.selection) for rate in rates], False),
        Column("wrong", wrong(lambda rate: percent(rate.value)), False),
        Column("95 % interval", wrong(interval), False),
        Column("by chance", [_chance(rate) for rate in rates], False),
        Column("compared", [f"{rate.compared:,}" for rate in rates], False),
        Column("expected", [expected_outcome(rate) for rate in rates], True),
        Column("most mentioned", [most_mentioned(rate, with_counts=True) for rate in rates], True),
    ]
    labelled = any(rate.compared for rate in rates)
    return columns if labelled else columns[:3] + columns[7:]


def expected_outcome(group_rates: GroupRates) -> str:
    """Returns the expected outcome of a group: "kept", "lost" or "in between"."""
    return expected(group_rates.selection, group_rates.perturbation, group_rates.chance)


def most_mentioned(group_rates: GroupRates, with_counts: bool = False) -> str:
    """Returns the most mentioned values: "white, black", or with counts "white 3, black 2"."""
    values = group_rates.most_mentioned[:SHOWN_VALUES]
    return ", ".join(f"{value} {count:,}" if with_counts else value for value, count in values)


def percent(fraction: float) -> str:
    """Returns a fraction as text: "21.3 %"; only exact 0 and 1 are "0 %" and "100 %"."""
    if fraction in (0, 1):
        return f"{fraction:.0%}".replace("%", " %")
    if fraction < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if fraction >= 0.9995 else f"{100 * fraction:.1f} %"


def interval(rate: Rate) -> str:
    """Returns the ends of an interval in percent: "20.7 to 22.0"."""
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"


def _chance(group_rates: GroupRates) -> str:
    return percent(group_rates.chance) if group_rates.perturbation else "–"


def _row(group_rates: GroupRates, captions: int) -> dict:
    perturbation = group_rates.perturbation or UNKNOWN
    return {
        "group": group_rates.group,
        "captions": captions,
        "mentioned": group_rates.mentioned,
        "selection_rate": group_rates.selection.value,
        "selection_low": group_rates.selection.low,
        "selection_high": group_rates.selection.high,
        "labelled": group_rates.labelled,
        "compared": group_rates.compared,
        "wrong": group_rates.wrong,
        "mixed": group_rates.mixed,
        "perturbation_rate": perturbation.value,
        "perturbation_low": perturbation.low,
        "perturbation_high": perturbation.high,
        "chance_rate": group_rates.chance,
        "expected": expected_outcome(group_rates),
        "most_mentioned": most_mentioned(group_rates, with_counts=True),
        **value_statistics(group_rates),
    }
