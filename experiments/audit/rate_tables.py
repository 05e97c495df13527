"""Tables: the rates of each group, for the terminal and as a tidy table."""

from collections.abc import Sequence

import pandas as pd
from rich.table import Table

from experiments.audit.expectation import expected
from experiments.audit.rates import GroupRates, Rate

UNKNOWN = Rate(float("nan"), float("nan"), float("nan"))
MOST = 3  # values told most that are shown


def tidy(rates: Sequence[GroupRates], captions: int) -> pd.DataFrame:
    """A row a group: numbers of captions, rates with their 95 % intervals, what may be expected.

    A rate that no label tells is not a number.
    """
    return pd.DataFrame([_row(of_group, captions) for of_group in rates])


def as_csv(table: pd.DataFrame) -> str:
    """A tidy table as it is written: numbers with seven digits."""
    return table.to_csv(index=False, float_format="%.7g")


def shown(rates: Sequence[GroupRates]) -> Table:
    """The table for the terminal, without perturbation if there are no labels."""
    labelled = any(of_group.compared for of_group in rates)
    table = Table(box=None, pad_edge=False)
    table.add_column("group")
    for name in ("told by", "95 % interval"):
        table.add_column(name, justify="right")
    for name in ("told wrong", "95 % interval", "by chance", "compared") if labelled else ():
        table.add_column(name, justify="right")
    table.add_column("expected")
    table.add_column("most told")
    for of_group in rates:
        wrong = of_group.perturbation
        cells = [of_group.group, percent(of_group.selection.value), interval(of_group.selection)]
        if labelled:
            cells += [percent(wrong.value), interval(wrong)] if wrong else ["–", "–"]
            cells += [percent(of_group.chance) if wrong else "–", f"{of_group.compared:,}"]
        table.add_row(*cells, expectation(of_group), most_told(of_group, numbers=True))
    return table


def expectation(of_group: GroupRates) -> str:
    """What may be expected of a group: "kept", "lost" or "in between"."""
    return expected(of_group.selection, of_group.perturbation, of_group.chance)


def most_told(of_group: GroupRates, numbers: bool = False) -> str:
    """The values told most: "white, black", with the numbers of captions "white 3, black 2"."""
    most = of_group.most_told[:MOST]
    return ", ".join(f"{value} {count:,}" if numbers else value for value, count in most)


def percent(share: float) -> str:
    """A share as people read it: "21.3 %"; 0 and 1 alone are "0 %" and "100 %"."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if share < 0.0005:
        return "<0.1 %"
    return ">99.9 %" if share >= 0.9995 else f"{100 * share:.1f} %"


def interval(rate: Rate) -> str:
    """The ends of an interval, in percent: "20.7 to 22.0"."""
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f}"


def _row(of_group: GroupRates, captions: int) -> dict:
    wrong = of_group.perturbation or UNKNOWN
    return {
        "group": of_group.group,
        "captions": captions,
        "told": of_group.told,
        "selection_rate": of_group.selection.value,
        "selection_low": of_group.selection.low,
        "selection_high": of_group.selection.high,
        "labelled": of_group.labelled,
        "compared": of_group.compared,
        "wrong": of_group.wrong,
        "mixed": of_group.mixed,
        "perturbation_rate": wrong.value,
        "perturbation_low": wrong.low,
        "perturbation_high": wrong.high,
        "chance_rate": of_group.chance,
        "expected": expectation(of_group),
        "most_told": most_told(of_group, numbers=True),
    }
