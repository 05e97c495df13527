"""Scenes on two cores: the study of scenes.py with small encoders, on smaller images."""

from ml_collections import ConfigDict

from experiments.configs import scenes

# If captions mention labels alone (shape, x_pos, y_pos): two columns for the shape and one for each
# other label, since image-only latents fill further ones. From the first number (s_pos) on: the
# dimensions that values span, six for seven shapes, two for three positions or for a hue, which is
# a circle. If captions mention everything: two spare columns, which only rotations could fill.
SIZES = (2, 3, 4, 11, 13, 15, 19)


def get_config(recipe: str = "scenes") -> ConfigDict:
    """Returns the config of `scenes` with small encoders and sizes that fit labels and hues."""
    config = scenes.get_config(recipe, SIZES)
    config.world.resolution = 48
    return config
