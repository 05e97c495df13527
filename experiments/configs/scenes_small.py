"""Scenes on two cores: the study of scenes.py with small encoders, on fewer and smaller images."""

from itertools import accumulate

from ml_collections import ConfigDict

from experiments.configs import scenes

# A hue is a circle, and shapes are in no order: they need two columns each.
TWOFOLD = ("shape", "color", "s_color", "b_color")
COLUMNS = [2 if name in TWOFOLD else 1 for name in scenes.FACTORS]


def get_config(recipe: str = "scenes") -> ConfigDict:
    """The same settings, each in as many dimensions as its unbiased semantics need."""
    config = scenes.get_config(recipe, tuple(accumulate(COLUMNS)))
    config.world.update(images=45_000, resolution=48)
    return config
