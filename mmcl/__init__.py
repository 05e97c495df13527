"""Who learns: encoders, objectives, optimisers, and one training run as a pure function."""

from mmcl.choice import make_encoders
from mmcl.encoders import Encoder, Modalities, mlp
from mmcl.objectives import alignment_max_entropy, symmetric_infonce
from mmcl.optimizers import Schedule
from mmcl.recipe import Hyperparameters, Recipe
from mmcl.text import text_cnn, tokens
from mmcl.training import Metrics, TrainState, encode, init, step, train
from mmcl.vision import patches, resnet18

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
    "make_encoders",
    "mlp",
    "patches",
    "resnet18",
    "step",
    "symmetric_infonce",
    "text_cnn",
    "tokens",
    "train",
]
