"""Who learns: encoders, objectives, optimisers, and one training run as a pure function."""

from mmcl.encoders.encoder import Encoder
from mmcl.encoders.mlp import mlp
from mmcl.encoders.text import text_cnn, tokens
from mmcl.encoders.vision import patches, resnet18
from mmcl.modalities import Modalities
from mmcl.objectives.alignment_entropy import alignment_max_entropy
from mmcl.objectives.contrastive import symmetric_infonce
from mmcl.optimizers.schedule import Schedule
from mmcl.recipe import Hyperparameters, Recipe
from mmcl.training import Metrics, TrainState, encode, init, make_encoders, step, train

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
