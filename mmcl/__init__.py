"""Who learns: encoders, objectives, optimisers, and one training run as a pure function."""

from mmcl.encoders import Encoder, Modalities, mlp
from mmcl.objectives import alignment_max_entropy, symmetric_infonce
from mmcl.optimizers import Schedule
from mmcl.recipe import Hyperparameters, Recipe
from mmcl.training import Metrics, TrainState, encode, init, step, train

__all__ = [
    "Encoder",
    "Hyperparameters",
    "Metrics",
    "Modalities",
    "Recipe",
    "Schedule",
    "TrainState",
    "alignment_max_entropy",
    "encode",
    "init",
    "mlp",
    "step",
    "symmetric_infonce",
    "train",
]
