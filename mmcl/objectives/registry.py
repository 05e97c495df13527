"""Registry of objectives, by the names that a recipe can give them.

An entry is an `Objective`: a function and its requirements on other fields of the recipe.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from jaxtyping import Array, Float

from mmcl.objectives.alignment_entropy import alignment_max_entropy
from mmcl.objectives.contrastive import (
    decoupled_infonce,
    decoupled_infonce_intra_modal,
    infonce_intra_modal,
    symmetric_infonce,
)
from mmcl.objectives.correlations import (
    barlow_twins,
    vicreg,
    vicreg_released,
    whitened_regression,
)
from mmcl.objectives.entropies import (
    NEIGHBOUR,
    alignment_max_gaussian_entropy,
    alignment_max_neighbour_entropy,
    alignment_uniformity,
    alignment_uniformity_on_sphere,
)
from mmcl.objectives.sigmoid import init_sigmoid_params, siglip, siglip_learned
from mmcl.part_checks import check_callable, part_name


class Objective(NamedTuple):
    """An objective of representations and its requirements.

    function:    (z, temperature, where=None, **options) -> float32 [], lower is better.
    options:     those of "similarity", "negatives", "alignment_weight" and "uniformity_weight" that
                 `function` takes; without the first two it uses a fixed similarity and the pairs
                 of z.
    least_group: (number of outputs) -> smallest meaningful number of pairs in a group.
    init_params: (temperature) -> pytree of trained parameters that `function` takes as the option
                 `params`; None for an objective without parameters.
    similarity:  name in SIMILARITIES of the fixed similarity, without the option "similarity".
    """

    function: Callable[..., Float[Array, ""]]
    options: tuple[str, ...] = ()
    least_group: Callable[[int], int] = lambda outputs: 2
    init_params: Callable[..., Any] | None = None
    similarity: str = "negative_squared_distance"


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
    "alignment_uniformity_on_sphere": Objective(
        alignment_uniformity_on_sphere,
        ("alignment_weight", "uniformity_weight"),
        similarity="cosine",
    ),
    "infonce_intra_modal": Objective(infonce_intra_modal, similarity="cosine"),
    "decoupled_infonce": Objective(decoupled_infonce, ("similarity",)),
    "decoupled_infonce_intra_modal": Objective(decoupled_infonce_intra_modal, ("similarity",)),
    "siglip": Objective(siglip, ("similarity",)),
    "siglip_learned": Objective(siglip_learned, ("similarity",), init_params=init_sigmoid_params),
    "vicreg": Objective(vicreg),
    "vicreg_released": Objective(vicreg_released),
    "barlow_twins": Objective(barlow_twins),
    "whitened_regression": Objective(whitened_regression, least_group=lambda outputs: outputs + 2),
}


def objective_of(part: str | Objective | Callable[..., Float[Array, ""]]) -> Objective:
    """Returns an objective, given by its name in OBJECTIVES, as an `Objective` or as its function.

    Raises ValueError for anything else.
    """
    if isinstance(part, str):
        return OBJECTIVES[part]
    objective = part if isinstance(part, Objective) else Objective(part)
    check_callable("objective", objective.function, "a name, a function or a mmcl.Objective")
    return objective


def objective_name(part: str | Objective | Callable[..., Float[Array, ""]]) -> str:
    """Returns the name of an objective, or that of its function."""
    return part_name(part.function if isinstance(part, Objective) else part)
