from .encoders.encoder import Encoder as Encoder
from .encoders.mlp import mlp as mlp
from .encoders.text import text_cnn as text_cnn
from .encoders.text import tokens as tokens
from .encoders.vision import patches as patches
from .encoders.vision import resnet18 as resnet18
from .encoding_size import EncodingSize as EncodingSize
from .encoding_size import estimate_encoding_size as estimate_encoding_size
from .modalities import Modalities as Modalities
from .objectives.alignment_entropy import alignment_max_entropy as alignment_max_entropy
from .objectives.contrastive import symmetric_infonce as symmetric_infonce
from .objectives.registry import OBJECTIVES as OBJECTIVES
from .objectives.registry import Objective as Objective
from .optimizers.schedule import Schedule as Schedule
from .recipe import Hyperparameters as Hyperparameters
from .recipe import Recipe as Recipe
from .training import Metrics as Metrics
from .training import Observations as Observations
from .training import TrainState as TrainState
from .training import constant_loss as constant_loss
from .training import encode as encode
from .training import init as init
from .training import make_encoders as make_encoders
from .training import step as step
from .training import train as train

__version__: str
