"""Scenes on two cores: the study of scenes.py with small encoders, on fewer and smaller images."""

from itertools import accumulate

from ml_collections import ConfigDict

from experiments.configs import scenes

# What its values span: v labels v - 1 columns, a hue, being a circle, two, a place on a line one.
COLUMNS = (6, 2, 2, 1, 2, 2, 2)  # of scenes.FACTORS


def get_config(recipe: str = "scenes") -> ConfigDict:
    """The same settings, each in as many dimensions as its unbiased semantics span."""
    config = scenes.get_config(recipe, tuple(accumulate(COLUMNS)))
    config.world.update(images=45_000, resolution=48)
    return config
