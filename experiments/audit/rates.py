"""Rates: selection and perturbation rates from counts of captions, with intervals."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.audit.concepts import Concepts
from experiments.audit.counting import Counts

NORMAL_QUANTILE = 1.959964  # of a standard normal at 0.975, for 95 % intervals


class Rate(NamedTuple):
    """A fraction of captions, and the 95 % interval of the probability that it estimates."""

    value: float
    low: float
    high: float


class ValueRate(NamedTuple):
    """The number and rate of captions that mention one value."""

    value: str
    mentioned: int
    rate: Rate


class GroupRates(NamedTuple):
    """The counts and rates of one group.

    mentioned, labelled, compared, wrong, mixed: numbers of captions, as in `Counts`.
    selection:      rate of captions that mention the group.
    perturbation:   rate of wrong captions among those compared; None if there are none.
    chance:         perturbation rate that captions independent of the labels would have; NaN if no
                    caption is compared.
    most_mentioned: (value, number of captions), in descending order; without values that no
                    caption mentions.
    values:         rates of the values, in the order of the concepts.
    """

    group: str
    mentioned: int
    selection: Rate
    labelled: int
    compared: int
    wrong: int
    mixed: int
    perturbation: Rate | None
    chance: float
    most_mentioned: tuple[tuple[str, int], ...]
    values: tuple[ValueRate, ...]


def wilson(count: int, total: int) -> Rate:
    """Returns count / total with Wilson's 95 % interval, which assumes independent draws.

    The lower end is 0 only for a count of 0, the upper end 1 only for a count of `total`.

    Raises ValueError for a total of 0.
    """
    if total < 1:
        raise ValueError(f"total is {total}: allowed is 1 or more")
    fraction, spread = count / total, NORMAL_QUANTILE**2 / total
    middle = (fraction + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (fraction * (1 - fraction) + spread / 4)) / (1 + spread)
    low = 0.0 if count == 0 else middle - half
    return Rate(fraction, low, 1.0 if count == total else middle + half)


def compute_rates(concepts: Concepts, counts: Counts) -> list[GroupRates]:
    """Returns the rates of each group; raises ValueError if there is no caption."""
    if not counts.captions:
        raise ValueError("there is no caption to audit: give a file with a non-empty caption")
    chances = chance_rates(concepts, counts)
    return [
        GroupRates(
            group=group,
            mentioned=int(counts.mentioned[index]),
            selection=wilson(int(counts.mentioned[index]), counts.captions),
            labelled=int(counts.labelled[index]),
            compared=compared,
            wrong=int(counts.wrong[index]),
            mixed=int(counts.mixed[index]),
            perturbation=wilson(int(counts.wrong[index]), compared) if compared else None,
            chance=float(chances[index]),
            most_mentioned=_most_mentioned(concepts, counts, index),
            values=_value_rates(concepts, counts, index),
        )
        for index, (group, compared) in enumerate(
            zip(concepts.groups, counts.compared.tolist(), strict=True)
        )
    ]


def chance_rates(concepts: Concepts, counts: Counts) -> Float[np.ndarray, " groups"]:
    """Returns the perturbation rate of each group if labels were shuffled among captions.

    1 - Σ P(label is v) P(v is mentioned) over the values v of the group, among the captions
    compared; NaN where there are none.
    """
    agreements = counts.compared_labels_of_value * counts.compared_mentions_of_value.astype(float)
    by_group = np.bincount(concepts.group_of, agreements, len(concepts.groups))
    with np.errstate(invalid="ignore"):
        return 1 - by_group / counts.compared.astype(float) ** 2


def _most_mentioned(concepts: Concepts, counts: Counts, group: int) -> tuple[tuple[str, int], ...]:
    mentions = counts.mentions_of_value
    values = np.flatnonzero(concepts.group_of == group)
    order = values[np.argsort(-mentions[values], kind="stable")]
    return tuple(
        (concepts.values[value], int(mentions[value])) for value in order if mentions[value]
    )


def _value_rates(concepts: Concepts, counts: Counts, group: int) -> tuple[ValueRate, ...]:
    mentions = counts.mentions_of_value.tolist()
    return tuple(
        ValueRate(concepts.values[value], mentions[value], wilson(mentions[value], counts.captions))
        for value in np.flatnonzero(concepts.group_of == group).tolist()
    )
