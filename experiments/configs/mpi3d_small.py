"""MPI3D-Complex on two cores: the study of mpi3d.py with small encoders, on fewer images."""

from ml_collections import ConfigDict

from experiments.configs import mpi3d


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns the config of `mpi3d` with encoders of patches and of tokens, on fewer images."""
    config = mpi3d.get_config(recipe)
    config.world.images = 40_000
    return config
