"""Registry: adds objectives, encoders, optimisers and output spaces of a user's own, by name.

A recipe takes the name of a registered part, or the part itself. docs/guide/own_parts.md has an
example of each.
"""

from collections.abc import Callable

from jaxtyping import Array, Float

from mmcl.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS, EncoderFactory
from mmcl.objectives.registry import OBJECTIVES, Objective, objective_of
from mmcl.optimizers.registry import OPTIMIZERS, OptimizerFactory
from mmcl.output_spaces import EXTRA_COLUMNS, OUTPUT_SPACES, Space
from mmcl.part_checks import check_callable, register


def register_objective(name: str, objective: Objective | Callable[..., Float[Array, ""]]) -> None:
    """Adds an objective: (z, temperature, where=None) -> float32 [], or a `mmcl.Objective` of it.

    All register functions raise ValueError for a name that another part has, and for a part that
    cannot be called. The same part may be registered again.
    """
    register("objective", name, objective_of(objective), OBJECTIVES)


def register_encoder(name: str, make: EncoderFactory) -> None:
    """Adds an encoder of images and of texts: (recipe, widths) -> flax module, or `mmcl.Encoder`.

    make: called with the recipe and the widths of the hidden layers. A module is called with
          observations [n, ...] and the keyword `train`, and returns float32 [n, recipe.outputs].
    """
    check_callable("encoder", make)
    register("encoder", name, make, IMAGE_ENCODERS, TEXT_ENCODERS)


def register_optimizer(name: str, make: OptimizerFactory) -> None:
    """Adds an optimiser: (schedule) -> optax.GradientTransformation.

    make: called with a function (step) -> learning rate, float32 [], which is traced. Gradients are
          clipped before, and weights decay after the update.
    """
    check_callable("optimizer", make)
    register("optimizer", name, make, OPTIMIZERS)


def register_output_space(name: str, space: Space, *, extra_columns: int = 0) -> None:
    """Adds an output space: (outputs float32 [n, d], dimensions bool [d]) -> float32 [n, d].

    space:         its result is 0 in the columns that are not in `dimensions`.
    extra_columns: number of columns minus dimensions of the space, 1 for the unit sphere.
    """
    check_callable("output space", space)
    register("output space", name, space, OUTPUT_SPACES)
    register("output space", name, extra_columns, EXTRA_COLUMNS)
