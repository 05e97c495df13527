"""Shapes3D: three hues, scale and shape; orientation is image-only.

--config.world.data=3dshapes.h5
"""

from ml_collections import ConfigDict

from experiments.configs import labelled
from lvm.datasets.labelled.shapes3d import FACTORS, PHRASINGS


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns the config: captions mention, or distort, more and more factors; 40,000 images."""
    config = labelled.get_config(recipe)
    config.world.update(
        layout="shapes3d",
        factors=tuple((factor.name, factor.values) for factor in FACTORS),
        phrasings=PHRASINGS,
        images=40_000,
    )
    names = tuple(factor.name for factor in FACTORS)
    config.settings = labelled.nested_settings(names)
    return config
