"""Expectation: whether a contrastive model is expected to keep a group of concepts."""

from experiments.audit.rates import Rate

KEPT, LOST, BETWEEN = "kept", "lost", "in between"


def expected(selection: Rate, perturbation: Rate | None = None, chance: float = 1.0) -> str:
    """Returns the expected outcome of a group from its rates: KEPT, LOST or BETWEEN.

    selection:    rate of captions that mention the group.
    perturbation: rate of wrong captions among those compared; None if unknown, which counts as 0.
    chance:       perturbation rate that captions independent of the image would have.

    By the claim of arXiv 2504.10143, a group is lost if it is never mentioned or always redrawn,
    and kept if it is always mentioned correctly. The claim makes no prediction for rates in
    between. A group counts as redrawn if the interval of `perturbation` contains `chance` and lies
    above `chance` / 2.
    """
    if selection.value == 0:
        return LOST
    if perturbation is None:
        return KEPT if selection.value == 1 else BETWEEN
    as_by_chance = perturbation.low <= chance <= perturbation.high
    if as_by_chance and perturbation.low > chance / 2:
        return LOST
    always_correct = selection.value == 1 and perturbation.value == 0
    return KEPT if always_correct and not as_by_chance else BETWEEN
