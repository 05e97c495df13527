"""Advice: what the rates mean for captions, in plain sentences."""

from collections.abc import Sequence

from experiments.audit.expectation import KEPT, LOST
from experiments.audit.rates import GroupRates
from experiments.audit.tables import expectation, most_told, percent

CLAIM = (
    "What captions always tell truly is kept; what they never tell, or tell by chance, is lost; of "
    "what lies in between the paper says nothing."
)


def advice(rates: Sequence[GroupRates], captions: int) -> list[str]:
    """The claim, then a sentence or two a group: what keeps it, and what makes robust to its shift.

    captions: how many there are.
    """
    unlabelled = (
        []
        if any(of_group.compared for of_group in rates)
        else ["No label says whether what captions tell is true: below, all of it is taken to be."]
    )
    return [CLAIM, *unlabelled, *(_of_group(of_group, captions) for of_group in rates)]


def _of_group(of_group: GroupRates, captions: int) -> str:
    missing = captions - of_group.told
    if not of_group.told:
        return (
            f"{of_group.group}: no caption tells it, so it is expected to be lost. To keep it, let "
            "every caption tell it. To be robust to its shift, leave it so."
        )
    tells = (
        "every caption tells it"
        if not missing
        else (f"{percent(of_group.selection.value)} of captions tell it")
    )
    add = f"let the other {missing:,} captions tell it" if missing else ""
    mend = _mend(of_group)
    keep = " and ".join(filter(None, (add, mend))) or "leave captions as they are"
    return (
        f"{of_group.group}: {tells}{_so(of_group)}. To keep it, {keep}. To be robust to its shift, "
        f"leave it out of the {of_group.told:,} that tell it (most often {most_told(of_group)})."
    )


def _so(of_group: GroupRates) -> str:
    wrong = of_group.perturbation
    told = "" if wrong is None else f", {percent(wrong.value)} of those compared wrongly"
    side = expectation(of_group)
    if side == LOST:
        return f"{told}, no better than by chance, so it is expected to be lost"
    return f"{told}, so it is expected to be kept" if side == KEPT else told


def _mend(of_group: GroupRates) -> str:
    if not of_group.wrong:
        return ""
    return f"correct what is told wrongly ({of_group.wrong:,} of {of_group.compared:,} compared)"
