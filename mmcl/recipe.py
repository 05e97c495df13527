"""Recipe: the static choices of a training run, and its traced hyperparameters."""

import dataclasses
from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any, NamedTuple

from jaxtyping import Array, Bool, Float

from mmcl.encoders.encoder import NORMALIZATIONS
from mmcl.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS, EncoderFactory
from mmcl.objectives.alignment_entropy import NORM_PENALTY
from mmcl.objectives.registry import OBJECTIVES, Objective, objective_name, objective_of
from mmcl.objectives.similarities import SIMILARITIES
from mmcl.optimizers.registry import OPTIMIZERS, OptimizerFactory
from mmcl.optimizers.schedule import Schedule
from mmcl.output_spaces import OUTPUT_SPACES, Space
from mmcl.part_checks import check_callable
from mmcl.precision import PRECISIONS


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Static choices of training; a new value compiles a new program.

    outputs:       number of columns of a representation, of which a dimension mask can select
                   some; required.
    widths:        widths of the hidden layers of "mlp" and "tokens" and of the layers on patches of
                   "patches"; default (64, 64, 64).
    slope:         slope of the leaky ReLUs of these three encoders; default 0.2.
    whiten:        whether "mlp" whitens observations, as fitted at `init`; default True.
    batch:         pairs per step; default 1024.
    group:         pairs that are negatives of one another, a divisor of `batch`; default 256.
                   Alignment is averaged over the whole batch, so a large batch in groups averages
                   gradients at linear cost.
    objective:     name in `OBJECTIVES`; default "alignment_max_entropy".
    similarity:    "negative_squared_distance" (default), "cosine" or "dot"; the latter two for
                   objectives with that option. All others use a fixed similarity.
    negatives:     "in_batch" (default), or "second_batch" for alignment_max_entropy.
    optimizer:     "soap" (default), "muon" or "adam".
    refine_from:   step from which on the objective is the mean of alignment_max_entropy and
                   `alignment_max_whitened_entropy`; None (default) for never.
    norm_penalty:  λ of the whitened entropy; default 0.1.
    image_encoder: "mlp" (default) for vectors, "patches" or "resnet18" for images.
    text_encoder:  "mlp" (default) for vectors, "tokens" or "text_cnn" for token ids.
    head_widths:   widths of the hidden dense layers of "patches"; default ().
    text_widths:   widths of the hidden layers of the text encoder; () (default) for `widths`.
    normalization: "batch" (default) or "group", in "resnet18" and "text_cnn".
    vocabulary:    number of token ids, among them 0 for no word; default 0. "tokens" and "text_cnn"
                   need 2 or more.
    precision:     of the matrix products inside encoders in training: "float32" (default), "tf32"
                   or "bfloat16". Sums are float32. A CPU is not faster in lower precision.
    output_space:  "free" (default), the unit "sphere" or the unit "cube". A sphere in d columns has
                   d - 1 dimensions.
    alignment_weight, uniformity_weight:
                   of the terms of alignment_uniformity_on_sphere, 0 or more; default 1.

    `objective`, `optimizer`, `image_encoder`, `text_encoder` and `output_space` may also be the
    object that the functions of `mmcl.registry` register under a name.

    Raises ValueError for a value of another type, a size that is out of range, a name that is not
    in `ALLOWED_NAMES`, a similarity, negatives, weight, refinement or group size that the objective
    does not allow, and token ids without a vocabulary.
    """

    outputs: int
    widths: tuple[int, ...] = (64, 64, 64)
    slope: float = 0.2
    whiten: bool = True
    batch: int = 1024
    group: int = 256
    objective: str | Objective | Callable[..., Float[Array, ""]] = "alignment_max_entropy"
    similarity: str = "negative_squared_distance"
    negatives: str = "in_batch"
    optimizer: str | OptimizerFactory = "soap"
    refine_from: int | None = None
    norm_penalty: float = NORM_PENALTY
    image_encoder: str | EncoderFactory = "mlp"
    text_encoder: str | EncoderFactory = "mlp"
    head_widths: tuple[int, ...] = ()
    text_widths: tuple[int, ...] = ()
    normalization: str = "batch"
    vocabulary: int = 0
    precision: str = "float32"
    output_space: str | Space = "free"
    alignment_weight: float = 1.0
    uniformity_weight: float = 1.0

    def __post_init__(self):
        def require(field, holds, allowed):
            if not holds:
                value = getattr(self, field)
                raise ValueError(f"recipe.{field} is {value!r}: allowed is {allowed}")

        for field, holds, allowed in _types_of_fields(self):
            require(field, holds, allowed)
        for field in ("widths", "head_widths", "text_widths"):
            require(field, all(width >= 1 for width in getattr(self, field)), "widths of 1 or more")
        require("slope", 0 < self.slope <= 1, "above 0, at most 1")
        require("outputs", self.outputs >= 1, "1 or more")
        require("norm_penalty", self.norm_penalty > 0, "above 0")
        for field in WEIGHTS:
            require(field, getattr(self, field) >= 0, "0 or more")
        require("batch", self.batch >= 2, "2 or more")
        require("group", self.group >= 2, "2 or more")
        require("group", self.batch % self.group == 0, f"a divisor of recipe.batch, {self.batch}")
        for field, names in ALLOWED_NAMES.items():
            value = getattr(self, field)
            if field in PARTS and not isinstance(value, str):
                _check_part(field, value)
                continue
            require(field, value in names, "one of " + ", ".join(names))
        for field, holds, allowed in _constraints_of_objective(self):
            require(field, holds, allowed)
        enough_words = self.text_encoder not in READS_TOKENS or self.vocabulary >= 2
        require("vocabulary", enough_words, f"2 or more for text_encoder {self.text_encoder!r}")


def similarity_of(recipe: Recipe) -> str:
    """Returns the name in SIMILARITIES by which a recipe compares representations.

    It is that of the objective; on the sphere all similarities have the order of the cosine.
    """
    objective = objective_of(recipe.objective)
    if recipe.output_space == "sphere":
        return "cosine"
    return recipe.similarity if "similarity" in objective.options else objective.similarity


def is_integer(value: Any) -> bool:
    """Returns whether a value is an integer; True and False are none."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Returns whether a value is a real number; True and False are none."""
    return isinstance(value, Real) and not isinstance(value, bool)


ALLOWED_TYPES = {  # annotation -> whether a value has that type, and the allowed ones in words
    int: (is_integer, "an integer"),
    int | None: (lambda value: value is None or is_integer(value), "an integer or None"),
    float: (is_number, "a number"),
    bool: (lambda value: isinstance(value, bool), "True or False"),
    tuple[int, ...]: (
        lambda value: isinstance(value, tuple) and all(map(is_integer, value)),
        "a tuple of integers",
    ),
}
WEIGHTS = ("alignment_weight", "uniformity_weight")
ALLOWED_NAMES: dict[str, Collection[str]] = {  # field of a recipe -> its allowed values
    "objective": OBJECTIVES,  # registries can grow
    "similarity": SIMILARITIES,
    "negatives": ("in_batch", "second_batch"),
    "optimizer": OPTIMIZERS,
    "image_encoder": IMAGE_ENCODERS,
    "text_encoder": TEXT_ENCODERS,
    "normalization": NORMALIZATIONS,
    "precision": PRECISIONS,
    "output_space": OUTPUT_SPACES,
}
# fields of a recipe that hold a name or an object
PARTS = ("objective", "optimizer", "image_encoder", "text_encoder", "output_space")
READS_TOKENS = ("tokens", "text_cnn")  # text encoders


def _check_part(field: str, part: Any) -> None:
    """Raises ValueError unless a part is an object that can be registered."""
    function = part.function if isinstance(part, Objective) else part
    check_callable(f"recipe.{field}", function, "a name or a function")


def _types_of_fields(recipe: Recipe):
    """Yields the types of fields, names aside: (field, whether met, allowed)."""
    for field in dataclasses.fields(recipe):
        if field.type in ALLOWED_TYPES:
            has_type, allowed = ALLOWED_TYPES[field.type]
            yield field.name, has_type(getattr(recipe, field.name)), allowed


def _constraints_of_objective(recipe: Recipe):
    """Yields the constraints of the objective on other fields: (field, whether met, allowed)."""
    objective = objective_of(recipe.objective)
    name = objective_name(recipe.objective)
    least = objective.least_group(recipe.outputs)
    enough_pairs = recipe.group >= least
    yield "group", enough_pairs, f"{least} or more for {name} with {recipe.outputs} outputs"
    distance = "negative_squared_distance"
    takes_similarity = "similarity" in objective.options or recipe.similarity == distance
    yield "similarity", takes_similarity, f"{distance} for {name}"
    takes_negatives = "negatives" in objective.options or recipe.negatives == "in_batch"
    yield "negatives", takes_negatives, f"in_batch for {name}"
    for field in WEIGHTS:
        takes_weight = field in objective.options or getattr(recipe, field) == 1
        yield field, takes_weight, f"1 for {name}"
    refinable = recipe.objective == "alignment_max_entropy" or recipe.refine_from is None
    yield "refine_from", refinable, f"None for {name} (refine=0)"


class Hyperparameters(NamedTuple):
    """Traced choices of training; a new value uses the compiled program. Numbers may be Python's.

    schedule:    of the learning rate.
    temperature: float32 [], of the objective.
    clip_norm:   float32 [], largest global norm of the gradient.
    dimensions:  bool [outputs], the columns of the representation that take part; None for all.
    weight_decay: float32 [], times the learning rate: the fraction of weights that each step
                 subtracts; see `mmcl.optimizers.weight_decay`.
    """

    schedule: Schedule = Schedule()
    temperature: Float[Array, ""] | float = 1.0
    clip_norm: Float[Array, ""] | float = 2.0
    dimensions: Bool[Array, " outputs"] | None = None
    weight_decay: Float[Array, ""] | float = 0.0
