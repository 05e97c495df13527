"""Rate tables: the rates of each group, for the terminal and as a tidy table."""

from collections.abc import Sequence

import pandas as pd
from rich.table import Table

from experiments.audit.expectation import expected
from experiments.audit.rates import GroupRates, Rate

UNKNOWN = Rate(float("nan"), float("nan"), float("nan"))
SHOWN_VALUES = 3  # most mentioned values in a cell


def tidy_table(rates: Sequence[GroupRates], captions: int) -> pd.DataFrame:
    """Returns one row per group: counts, rates with 95 % intervals, and the expected outcome.

    A rate that needs labels is NaN for a group without labels.

    captions: number of captions.
    """
    return pd.DataFrame([_row(group_rates, captions) for group_rates in rates])


def as_csv(table: pd.DataFrame) -> str:
    """Returns a tidy table as CSV, numbers with seven digits."""
    return table.to_csv(index=False, float_format="%.7g")


def terminal_table(rates: Sequence[GroupRates]) -> Table:
    """Returns the table for the terminal, without perturbation rates if there are no labels."""
    labelled = any(group_rates.compared for group_rates in rates)
    table = Table(box=None, pad_edge=False)
    table.add_column("group")
    for name in ("mentioned by", "95 % interval"):
        table.add_column(name, justify="right")
    for name in ("wrong", "95 % interval", "by chance", "compared") if labelled else ():
        table.add_column(name, justify="right")
    table.add_column("expected")
    table.add_column("most mentioned")
    for group_rates in rates:
        selection, wrong = group_rates.selection, group_rates.perturbation
        cells = [group_rates.group, percent(selection.value), interval(selection)]
        if labelled:
            cells += [percent(wrong.value), interval(wrong)] if wrong else ["–", "–"]
            cells += [percent(group_rates.chance) if wrong else "–", f"{group_rates.compared:,}"]
        cells += [expected_outcome(group_rates), most_mentioned(group_rates, with_counts=True)]
        table.add_row(*cells)
    return table


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
    }
