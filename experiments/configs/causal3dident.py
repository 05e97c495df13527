"""Causal3DIdent (paper figures 6 and 14 to 18): the study of scenes.py on images in a folder.

--config.world.data=FOLDER
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import scenes


def get_config(recipe: str = "resnet") -> ConfigDict:
    """Returns the paper's settings, on images of a folder in the layout of Causal3DIdent."""
    config = scenes.study(recipe)
    config.domain = "causal3dident"
    config.world.update(
        data=placeholder(str),  # the folder
        cache=placeholder(str),  # the folder of the decoded images; None for the same
        height=128,  # pixels of an image
        width=128,
    )
    return config.lock()
