"""Scenes on two cores: the study of scenes.py with small encoders, on fewer and smaller images."""

from ml_collections import ConfigDict

from experiments.configs import scenes


def get_config(recipe: str = "scenes") -> ConfigDict:
    """The same settings, each in as many dimensions as there are unbiased semantics."""
    config = scenes.get_config(recipe, (None,) * len(scenes.PAPER_SIZES))
    config.world.update(images=40_000, resolution=64)
    return config
