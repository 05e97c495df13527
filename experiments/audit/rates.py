"""Rates: what counts of captions say of selection and perturbation, with intervals."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from experiments.audit.concepts import Concepts
from experiments.audit.counting import Counts

DEVIATE = 1.959964  # of the normal law, for 95 %


class Rate(NamedTuple):
    """A share of captions, and the 95 % interval of the share it estimates."""

    value: float
    low: float
    high: float


class GroupRates(NamedTuple):
    """What captions do with one group.

    told, labelled, compared, wrong, mixed: numbers of captions, as in `Counts`.
    selection: how often captions tell the group.
    perturbation: how often what they tell is wrong, where a label says; None if none does.
    chance: how often it would be wrong if what captions tell had nothing to do with the labels;
    not a number if there are none.
    most_told: the values told most, with the number of captions.
    """

    group: str
    told: int
    selection: Rate
    labelled: int
    compared: int
    wrong: int
    mixed: int
    perturbation: Rate | None
    chance: float
    most_told: tuple[tuple[str, int], ...]


def wilson(count: int, total: int) -> Rate:
    """The share count / total with Wilson's 95 % interval, as of independent draws.

    Its lower end is 0 for a count of 0 alone, its upper end 1 for the total alone. Raises
    ValueError for a total of 0.
    """
    if total < 1:
        raise ValueError(f"total is {total}: allowed is 1 or more")
    share, spread = count / total, DEVIATE**2 / total
    middle = (share + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (share * (1 - share) + spread / 4)) / (1 + spread)
    low = 0.0 if count == 0 else middle - half
    return Rate(share, low, 1.0 if count == total else middle + half)


def rates(concepts: Concepts, counts: Counts) -> list[GroupRates]:
    """The rates of each group; raises ValueError if there is no caption."""
    if not counts.captions:
        raise ValueError("there is no caption to audit")
    chances = chance_wrong(concepts, counts)
    return [
        GroupRates(
            group=group,
            told=int(counts.told[place]),
            selection=wilson(int(counts.told[place]), counts.captions),
            labelled=int(counts.labelled[place]),
            compared=compared,
            wrong=int(counts.wrong[place]),
            mixed=int(counts.mixed[place]),
            perturbation=wilson(int(counts.wrong[place]), compared) if compared else None,
            chance=float(chances[place]),
            most_told=_most_told(concepts, counts, place),
        )
        for place, (group, compared) in enumerate(
            zip(concepts.groups, counts.compared.tolist(), strict=True)
        )
    ]


def chance_wrong(concepts: Concepts, counts: Counts) -> Float[np.ndarray, " groups"]:
    """How often each group would be told wrong if labels were shuffled among captions.

    1 - Σ P(label is v) P(v is told) over the values v of the group, among the captions compared;
    not a number where there are none.
    """
    agreements = counts.labelled_as * counts.compared_as.astype(float)
    by_group = np.bincount(concepts.group_of, agreements, len(concepts.groups))
    with np.errstate(invalid="ignore"):
        return 1 - by_group / counts.compared.astype(float) ** 2


def _most_told(concepts: Concepts, counts: Counts, group: int) -> tuple[tuple[str, int], ...]:
    places = np.flatnonzero(concepts.group_of == group)
    order = places[np.argsort(-counts.told_as[places], kind="stable")]
    return tuple(
        (concepts.values[place], int(counts.told_as[place]))
        for place in order
        if counts.told_as[place]
    )
