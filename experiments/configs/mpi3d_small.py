"""MPI3D-Complex on two cores: the study of mpi3d.py with small encoders, on fewer images."""

from ml_collections import ConfigDict

from experiments.configs import mpi3d


def get_config(recipe: str = "patches") -> ConfigDict:
    """The same settings; encoders of patches and of tokens."""
    config = mpi3d.get_config(recipe)
    config.world.images = 40_000
    return config
