"""Advice: what the rates mean for captions, in plain sentences."""

from collections.abc import Sequence

from experiments.audit.expectation import KEPT, LOST
from experiments.audit.rate_tables import expectation, most_told, percent
from experiments.audit.rates import GroupRates

CLAIM = (
    "What captions always tell truly is kept; what they never tell, or tell by chance, is lost; of "
    "what lies in between the paper says nothing."
)
UNLABELLED = "No label says whether what captions tell is true: here all of it passes for true."


def advice(rates: Sequence[GroupRates], captions: int) -> list[str]:
    """The claim, then what keeps each group, and what makes a model robust to its shift.

    captions: how many there are.
    """
    told = [of_group for of_group in rates if of_group.told]
    return [
        CLAIM,
        *([] if any(of_group.compared for of_group in rates) else [UNLABELLED]),
        *(_of_told(of_group, captions - of_group.told) for of_group in told),
        *_of_untold([of_group.group for of_group in rates if not of_group.told]),
    ]


def _of_told(of_group: GroupRates, missing: int) -> str:
    share = percent(of_group.selection.value)
    tells = f"{share} of captions tell it" if missing else "every caption tells it"
    return (
        f"{of_group.group}: {tells}{_truly(of_group)}. To keep it, {_to_keep(of_group, missing)}. "
        f"To be robust to its shift, leave it out of all captions ({of_group.told:,} tell it, most "
        f"often {most_told(of_group)})."
    )


def _of_untold(groups: Sequence[str]) -> list[str]:
    if not groups:
        return []
    return [
        f"{', '.join(groups)}: no caption tells it, so it is expected to be lost. To keep it, tell "
        "it in all captions. To be robust to its shift, leave it untold."
    ]


def _truly(of_group: GroupRates) -> str:
    """How truly a group is told, and what follows; nothing of a group that nobody compared."""
    wrong, side = of_group.perturbation, expectation(of_group)
    told = "" if wrong is None else f", {percent(wrong.value)} of those compared tell it wrong"
    if side == LOST:
        return f"{told}, as by chance, so it is expected to be lost"
    return f"{told}, so it is expected to be kept" if side == KEPT else told


def _to_keep(of_group: GroupRates, missing: int) -> str:
    add = f"tell it in all captions ({missing:,} more)" if missing else ""
    mend = f"correct what is told wrong ({of_group.wrong:,} of {of_group.compared:,} compared)"
    return " and ".join(filter(None, (add, mend if of_group.wrong else ""))) or "leave it as it is"
