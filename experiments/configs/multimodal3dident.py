"""Multimodal3DIdent (arXiv 2303.09166), with the captions of its authors.

--config.world.data=FOLDER
"""

from ml_collections import ConfigDict

from experiments.configs import labelled
from lvm.datasets.multimodal3dident import FACTORS, VALUES


def get_config(recipe: str = "resnet") -> ConfigDict:
    """Returns the config: all semantics of the images are scored."""
    config = labelled.get_config(recipe)
    config.world.update(
        layout="multimodal3dident",
        factors=FACTORS,
        numbers=VALUES,
        resize=True,
    )
    config.settings = (labelled.setting(" ".join((*(name for name, _ in FACTORS), *VALUES))),)
    return config
