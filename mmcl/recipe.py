"""Recipe: everything about training but the data; what is static, and what is traced."""

import dataclasses
from typing import NamedTuple

from jaxtyping import Array, Bool, Float

from mmcl.encoders.encoder import NORMALIZATIONS
from mmcl.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS
from mmcl.objectives.alignment_entropy import NORM_PENALTY
from mmcl.objectives.registry import OBJECTIVES
from mmcl.objectives.similarities import SIMILARITIES
from mmcl.optimizers.registry import OPTIMIZERS
from mmcl.optimizers.schedule import Schedule
from mmcl.output_spaces import OUTPUT_SPACES
from mmcl.precision import PRECISIONS


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What shapes the program: all static.

    widths:        of hidden layers; of mlp, of tokens, and of patches, a layer of them each.
    slope:         of the leaky ReLU of the same three.
    whiten:        whether mlp whitens observations, on a first batch.
    outputs:       columns of a representation; lanes use fewer by their dimension mask.
    batch:         pairs in a step.
    group:         pairs that are one another's negatives; divides the batch. Alignment is over the
                   whole batch, so a large batch in groups averages gradients at linear cost.
    objective:     a name in `OBJECTIVES`, such as "alignment_max_entropy".
    similarity:    of objectives with that option: "negative_squared_distance", "cosine" or "dot".
    negatives:     of alignment_max_entropy: "in_batch" or "second_batch".
    optimizer:     "soap", "muon" or "adam".
    refine_from:   step from which on the objective is the mean of alignment_max_entropy and
                   `alignment_max_whitened_entropy`, None for never.
    norm_penalty:  λ of that objective.
    image_encoder: "mlp" of vectors; "patches" or "resnet18" of photographs.
    text_encoder:  "mlp" of vectors; "tokens" or "text_cnn" of token ids.
    head_widths:   of hidden layers that patches have after them.
    text_widths:   of the text encoder, mlp or tokens; () for those of `widths`.
    normalization: of resnet18 and text_cnn: "batch" or "group".
    vocabulary:    number of token ids, 0 for no word among them; of tokens and text_cnn.
    precision:     of the matrix products inside encoders in training: "float32", "tf32" or
                   "bfloat16", which add up in float32; a CPU gains no time by it.
    output_space:  of representations: "free", the unit "sphere" or the unit "cube". A sphere in d
                   columns has d - 1 dimensions.

    Raises ValueError for a size out of range, an unknown choice, a similarity other than the
    distance or negatives from a second batch for an objective without that option, refinement of
    another than alignment_max_entropy, a group too small for the objective, or token ids without a
    vocabulary.
    """

    outputs: int
    widths: tuple[int, ...] = (64, 64, 64)
    slope: float = 0.2
    whiten: bool = True
    batch: int = 1024
    group: int = 256
    objective: str = "alignment_max_entropy"
    similarity: str = "negative_squared_distance"
    negatives: str = "in_batch"
    optimizer: str = "soap"
    refine_from: int | None = None
    norm_penalty: float = NORM_PENALTY
    image_encoder: str = "mlp"
    text_encoder: str = "mlp"
    head_widths: tuple[int, ...] = ()
    text_widths: tuple[int, ...] = ()
    normalization: str = "batch"
    vocabulary: int = 0
    precision: str = "float32"
    output_space: str = "free"

    def __post_init__(self):
        def require(field, holds, allowed):
            if not holds:
                value = getattr(self, field)
                raise ValueError(f"recipe.{field} is {value!r}: allowed is {allowed}")

        require("widths", all(width >= 1 for width in self.widths), "widths of 1 or more")
        for field in ("head_widths", "text_widths"):
            require(field, all(width >= 1 for width in getattr(self, field)), "widths of 1 or more")
        require("slope", 0 < self.slope <= 1, "above 0, at most 1")
        require("outputs", self.outputs >= 1, "1 or more")
        require("norm_penalty", self.norm_penalty > 0, "above 0")
        require("batch", self.batch >= 2, "2 or more")
        require("group", self.group >= 2, "2 or more")
        require("group", self.batch % self.group == 0, f"a divisor of recipe.batch, {self.batch}")
        for field, names in CHOICES.items():
            require(field, getattr(self, field) in names, "one of " + ", ".join(names))
        for field, holds, allowed in _rules_of_objective(self):
            require(field, holds, f"{allowed}, for {self.objective}")
        words = self.text_encoder == "mlp" or self.vocabulary >= 2
        require("vocabulary", words, f"2 or more, for text_encoder {self.text_encoder}")


CHOICES = {
    "objective": tuple(OBJECTIVES),
    "similarity": tuple(SIMILARITIES),
    "negatives": ("in_batch", "second_batch"),
    "optimizer": tuple(OPTIMIZERS),
    "image_encoder": tuple(IMAGE_ENCODERS),
    "text_encoder": tuple(TEXT_ENCODERS),
    "normalization": NORMALIZATIONS,
    "precision": tuple(PRECISIONS),
    "output_space": tuple(OUTPUT_SPACES),
}


def _rules_of_objective(recipe: Recipe):
    """What the objective asks of other fields: (field, whether it holds, what is allowed)."""
    chosen = OBJECTIVES[recipe.objective]
    least = chosen.least_group(recipe.outputs)
    yield "group", recipe.group >= least, f"{least} or more, with {recipe.outputs} outputs"
    distance = "negative_squared_distance"
    similar = "similarity" in chosen.options or recipe.similarity == distance
    yield "similarity", similar, distance
    yield "negatives", "negatives" in chosen.options or recipe.negatives == "in_batch", "in_batch"
    refinable = recipe.objective == "alignment_max_entropy"
    yield "refine_from", refinable or recipe.refine_from is None, "None (refine=0)"


class Hyperparameters(NamedTuple):
    """Traced choices of training: a new value never compiles again.

    schedule:    of the learning rate.
    temperature: float32 [], of the objective.
    clip_norm:   float32 [], largest global norm of the gradient.
    dimensions:  bool [outputs], the columns of the representation that take part; None for all.

    Python numbers are accepted in place of arrays.
    """

    schedule: Schedule = Schedule()
    temperature: Float[Array, ""] | float = 1.0
    clip_norm: Float[Array, ""] | float = 2.0
    dimensions: Bool[Array, " outputs"] | None = None
