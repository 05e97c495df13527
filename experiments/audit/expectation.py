"""Expectation: what a contrastive model may be expected to keep of what captions tell so often."""

from experiments.audit.rates import Rate

KEPT, LOST, BETWEEN = "kept", "lost", "in between"


def expected(selection: Rate, perturbation: Rate | None = None, chance: float = 1.0) -> str:
    """On which side the rates of a group lie: KEPT, LOST, or BETWEEN them.

    selection: how often captions tell the group; perturbation: how often what they tell is wrong,
    None if nobody knows, which passes for never; chance: how often it would be wrong if it had
    nothing to do with the truth. By the claim of arXiv 2504.10143 what is never told or always
    redrawn is lost, and what is always told truly is kept. Of what lies between them it says
    nothing, and neither does this function.
    """
    never_wrong = perturbation is None or perturbation.value == 0
    redrawn = perturbation is not None and perturbation.low <= chance <= perturbation.high
    if selection.value == 0 or (redrawn and not never_wrong):
        return LOST
    if selection.value == 1 and never_wrong and not redrawn:
        return KEPT
    return BETWEEN
