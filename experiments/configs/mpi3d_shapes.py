"""MPI3D toy, realistic or real: color, shape, size, camera and background.

--config.world.data=mpi3d_toy.npz
"""

from ml_collections import ConfigDict

from experiments.configs import labelled
from lvm.datasets.labelled.image_arrays import MPI3D_FACTORS
from lvm.datasets.mpi3d import PHRASINGS


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns the config: captions mention, or distort, more and more factors; 40,000 images."""
    config = labelled.get_config(recipe)
    config.world.update(
        layout="mpi3d",
        factors=tuple((factor.name, factor.values) for factor in MPI3D_FACTORS),
        phrasings=PHRASINGS,
        images=40_000,
    )
    config.settings = labelled.nested_settings(tuple(factor.name for factor in MPI3D_FACTORS))
    return config
