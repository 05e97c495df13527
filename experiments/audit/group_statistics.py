"""Group statistics: mean, median, extremes and coverage of the mention rates of values."""

from collections.abc import Sequence
from statistics import fmean, median

from experiments.audit.rates import GroupRates


def value_statistics(group_rates: GroupRates) -> dict:
    """Returns statistics of the mention rates of the values of a group, as columns of a table.

    `concepts` and `concepts_mentioned` are the numbers of values, and of those that any caption
    mentions.
    """
    of_values = [value.rate.value for value in group_rates.values]
    by_count = lambda value: value.mentioned
    least, most = min(group_rates.values, key=by_count), max(group_rates.values, key=by_count)
    return {
        "concepts": len(of_values),
        "concepts_mentioned": sum(map(bool, of_values)),
        "mean_rate": fmean(of_values),
        "median_rate": median(of_values),
        "lowest_rate": least.rate.value,
        "lowest_concept": least.value,
        "highest_rate": most.rate.value,
        "highest_concept": most.value,
    }


def omitted_values(rates: Sequence[GroupRates]) -> list[str]:
    """Returns "group (value, value)" of the values that no caption mentions, by group."""
    omitted = {
        group_rates.group: [value.value for value in group_rates.values if not value.mentioned]
        for group_rates in rates
    }
    return [f"{group} ({', '.join(values)})" for group, values in omitted.items() if values]
