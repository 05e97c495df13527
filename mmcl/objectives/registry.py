"""Registry of objectives, by the names that a recipe can give them.

An entry is an `Objective`: a function and its requirements on other fields of the recipe.
"""

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
    """An objective of representations and its requirements.

    function:    (z, temperature, where=None, **options) -> float32 [], lower is better.
    options:     those of "similarity" and "negatives" that `function` takes; without them it uses
                 squared distances and the pairs of z.
    least_group: (number of outputs) -> smallest meaningful number of pairs in a group.
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
