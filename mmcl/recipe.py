"""Recipe: everything about training but the data; what is static, and what is traced."""

import dataclasses
from typing import NamedTuple

from jaxtyping import Array, Bool, Float

from mmcl.objectives import SIMILARITIES
from mmcl.optimizers import OPTIMIZERS, Schedule

@dataclasses.dataclass(frozen=True)
class Recipe:
    """What shapes the program: all static.

    widths:      of the encoders' hidden layers.
    slope:       of their leaky ReLU.
    whiten:      whether observations are whitened, on a first batch.
    outputs:     columns of a representation; lanes use fewer by their dimension mask.
    batch:       pairs in a step.
    objective:   "alignment_max_entropy" or "symmetric_infonce".
    similarity:  of InfoNCE: "negative_squared_distance", "cosine" or "dot".
    negatives:   of alignment_max_entropy: "in_batch" or "second_batch".
    optimizer:   "muon" or "adam".

    Raises ValueError for a size below 1, a batch below 2, an unknown choice, or InfoNCE with
    negatives from a second batch (its negatives are cross-modal, in the batch).
    """

    widths: tuple[int, ...]
    slope: float
    whiten: bool
    outputs: int
    batch: int
    objective: str
    similarity: str
    negatives: str
    optimizer: str

    def __post_init__(self):
        for field, least in (("outputs", 1), ("batch", 2)):
            if getattr(self, field) < least:
                raise ValueError(
                    f"recipe.{field} is {getattr(self, field)}: allowed is {least} or more"
                )
        if any(width < 1 for width in self.widths):
            raise ValueError(f"recipe.widths is {self.widths}: allowed are widths of 1 or more")
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f"recipe.{field} is {getattr(self, field)!r}: allowed is one of "
                    + ", ".join(allowed)
                )
        if self.objective == "symmetric_infonce" and self.negatives != "in_batch":
            raise ValueError(
                f"recipe.negatives is {self.negatives!r}: allowed with symmetric_infonce is in_batch"
            )


CHOICES = {
    "objective": ("alignment_max_entropy", "symmetric_infonce"),
    "similarity": tuple(SIMILARITIES),
    "negatives": ("in_batch", "second_batch"),
    "optimizer": tuple(OPTIMIZERS),
}


class Hyperparameters(NamedTuple):
    """What a lane sets without a new compilation: all traced.

    schedule:    of the learning rate.
    temperature: float32 [], of the objective.
    clip_norm:   float32 [], largest global norm of the gradient.
    dimensions:  bool [outputs], which columns of the representation take part.
    """

    schedule: Schedule
    temperature: Float[Array, ""]
    clip_norm: Float[Array, ""]
    dimensions: Bool[Array, " outputs"]
