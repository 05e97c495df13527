"""Advice: plain sentences on what the measured rates imply for captions."""

from collections.abc import Sequence

from experiments.audit.expectation import KEPT, LOST
from experiments.audit.rate_tables import expected_outcome, most_mentioned, percent
from experiments.audit.rates import GroupRates

CLAIM = (
    "Concepts that every caption mentions correctly are kept; concepts that no caption mentions, "
    "or whose mentions are correct only by chance, are lost. The paper makes no prediction for "
    "concepts in between."
)
UNLABELLED = "There are no labels to compare with: all mentions are assumed to be correct."


def advice(rates: Sequence[GroupRates], captions: int) -> list[str]:
    """Returns the claim, one line per group that is mentioned, and one line for the other groups.

    A line states the expected outcome of a group, how to keep it, and how to make a model robust
    to its shift.

    captions: number of captions.
    """
    mentioned = [group_rates for group_rates in rates if group_rates.mentioned]
    return [
        CLAIM,
        *([] if any(group_rates.compared for group_rates in rates) else [UNLABELLED]),
        *(
            _about_mentioned(group_rates, captions - group_rates.mentioned)
            for group_rates in mentioned
        ),
        *_about_omitted([group_rates.group for group_rates in rates if not group_rates.mentioned]),
    ]


def _about_mentioned(group_rates: GroupRates, omitting: int) -> str:
    """Returns the line of a group that is mentioned; `omitting` captions do not mention it."""
    fraction = percent(group_rates.selection.value)
    mentions = f"{fraction} of captions mention it" if omitting else "every caption mentions it"
    return (
        f"{group_rates.group}: {mentions}{_correctness(group_rates)}. To keep it, "
        f"{_how_to_keep(group_rates, omitting)}. To be robust to its shift, omit it from all "
        f"captions ({group_rates.mentioned:,} mention it, most often "
        f"{most_mentioned(group_rates)})."
    )


def _about_omitted(groups: Sequence[str]) -> list[str]:
    """Returns one line for all groups that no caption mentions, or none if there is no such."""
    if not groups:
        return []
    return [
        f"{', '.join(groups)}: no caption mentions it, so it is expected to be lost. To keep it, "
        "mention it in all captions. To be robust to its shift, leave the captions unchanged."
    ]


def _correctness(group_rates: GroupRates) -> str:
    """Returns a clause with the perturbation rate, if known, and the outcome, if predicted."""
    wrong, outcome = group_rates.perturbation, expected_outcome(group_rates)
    clause = "" if wrong is None else f", {percent(wrong.value)} of those compared are wrong"
    if outcome == LOST:
        return f"{clause}, as by chance, so it is expected to be lost"
    return f"{clause}, so it is expected to be kept" if outcome == KEPT else clause


def _how_to_keep(group_rates: GroupRates, omitting: int) -> str:
    wrong, compared = group_rates.wrong, group_rates.compared
    changes = [
        *([f"mention it in all captions ({omitting:,} more)"] if omitting else []),
        *([f"correct the wrong mentions ({wrong:,} of {compared:,} compared)"] if wrong else []),
    ]
    return " and ".join(changes) or "leave the captions unchanged"
