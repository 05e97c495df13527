"""MPI3D-Complex (paper figures 5, 12 and 13): color, shape, size, camera and background.

--config.world.data=FOLDER
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import default

FACTORS = ("color", "shape", "size", "camera", "background")
LAWS = {"dependence": "natural", "noise_law": "natural"}  # as in the data


def get_config(recipe: str = "resnet") -> ConfigDict:
    """Returns the config: captions mention, or distort, more and more factors.

    Full selection without distortion belongs to both studies.
    """
    config = default.common(recipe)
    config.domain = "mpi3d"
    config.world = {
        "data": placeholder(str),  # the npz file or its folder
        "cache": placeholder(str),  # the folder of its npy copy; None for the same
        "height": 64,  # pixels of an image
        "width": 64,
        "positions": (40, 40),  # of the two axes of the arm
        "images": placeholder(int),  # drawn for all splits; None for all
        "seed": 0,  # of that draw
        "may_equal_truth": True,  # whether a replaced value may equal the true one, as in the paper
    }
    config.min_encoding_size = 3
    config.evaluation = {"probes": ("logistic", "mlp")}
    select = [default.setting(" ".join(FACTORS[:count]), **LAWS) for count in range(1, 6)]
    perturb = [
        default.setting(" ".join(FACTORS), " ".join(FACTORS[kept:]), noise_probability=0.9, **LAWS)
        for kept in (4, 3, 2, 1)
    ]
    config.settings = (*select, *perturb)
    return config.lock()
