"""Catalogue: the objectives that a recipe can name, and what each asks of it."""

from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Array, Float

from mmcl.objectives.alignment_entropy import alignment_max_entropy
from mmcl.objectives.contrastive import decoupled_infonce, siglip, symmetric_infonce
from mmcl.objectives.correlations import barlow_twins, vicreg, whitened_regression
from mmcl.objectives.entropies import (
    NEIGHBOUR,
    alignment_max_gaussian_entropy,
    alignment_max_neighbour_entropy,
    alignment_uniformity,
)


class Objective(NamedTuple):
    """An objective of representations, and its needs.

    function:    (z, temperature, where=None, **options) -> float32 [], lower is better.
    options:     of "similarity" and "negatives", those it takes; without them it knows squared
                 distances and the pairs of z alone.
    least_group: number of outputs -> the fewest pairs that make sense.
    """

    function: Callable[..., Float[Array, ""]]
    options: tuple[str, ...] = ()
    least_group: Callable[[int], int] = lambda outputs: 2


OBJECTIVES: dict[str, Objective] = {
    "alignment_max_entropy": Objective(alignment_max_entropy, ("negatives",)),
    "symmetric_infonce": Objective(symmetric_infonce, ("similarity",)),
    "alignment_max_neighbour_entropy": Objective(
        alignment_max_neighbour_entropy, least_group=lambda outputs: NEIGHBOUR + 1
    ),
    "alignment_max_gaussian_entropy": Objective(
        alignment_max_gaussian_entropy, least_group=lambda outputs: outputs + 1
    ),
    "alignment_uniformity": Objective(alignment_uniformity),
    "decoupled_infonce": Objective(decoupled_infonce, ("similarity",)),
    "siglip": Objective(siglip, ("similarity",)),
    "vicreg": Objective(vicreg),
    "barlow_twins": Objective(barlow_twins),
    "whitened_regression": Objective(whitened_regression, least_group=lambda outputs: outputs + 2),
}
