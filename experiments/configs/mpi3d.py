"""MPI3D-Complex (figures 5, 12 and 13): color, shape, size, camera and background.

--config.world.data=FOLDER
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import default

FACTORS = ("color", "shape", "size", "camera", "background")
LAW = "natural"


def get_config(recipe: str = "resnet") -> ConfigDict:
    """Captions that leave out more and more factors, and captions that get more and more wrong.

    Full selection without distortion is both the last of the former and the first of the latter.
    """
    config = default.common(recipe)
    config.domain = "mpi3d"
    config.world = {
        "data": placeholder(str),  # the npz file or its folder
        "cache": placeholder(str),  # the folder of its npy twin; None: beside it
        "height": 64,  # pixels of an image
        "width": 64,
        "positions": (40, 40),  # of either axis of the arm
        "images": placeholder(int),  # that are drawn for all splits; None: all
        "seed": 0,  # of that draw
        "may_equal_truth": True,  # whether a distorted value may be the true one, as in the paper
    }
    config.min_encoding_size = 3
    config.evaluation = {"probes": ("logistic", "mlp")}
    select = [default.setting(" ".join(FACTORS[:count]), "", LAW) for count in range(1, 6)]
    perturb = [
        default.setting(" ".join(FACTORS), " ".join(FACTORS[kept:]), LAW, None, 0.9)
        for kept in (4, 3, 2, 1)
    ]
    config.settings = (*select, *perturb)
    return config.lock()
