"""Expectation: what a contrastive model may be expected to keep of what captions tell so often."""

from experiments.audit.rates import Rate

KEPT, LOST, BETWEEN = "kept", "lost", "in between"


def expected(selection: Rate, perturbation: Rate | None = None, chance: float = 1.0) -> str:
    """On which side the rates of a group lie: KEPT, LOST, or BETWEEN them.

    selection: how often captions tell the group; perturbation: how often what they tell is wrong,
    None if nobody knows, which passes for never; chance: how often it would be wrong if it had
    nothing to do with the truth. By the claim of arXiv 2504.10143 what is never told or always
    redrawn is lost, and what is always told truly is kept. Of what lies between them it says
    nothing, and neither does this function. Redrawn is what is wrong as often as by chance, as far
    as its interval tells, if all of that interval is nearer to chance than to never.
    """
    if selection.value == 0:
        return LOST
    if perturbation is None:
        return KEPT if selection.value == 1 else BETWEEN
    as_by_chance = perturbation.low <= chance <= perturbation.high
    if as_by_chance and perturbation.low > chance / 2:
        return LOST
    always_true = selection.value == 1 and perturbation.value == 0
    return KEPT if always_true and not as_by_chance else BETWEEN
