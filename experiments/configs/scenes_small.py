"""Scenes on two cores: the study of scenes.py with small encoders, on smaller images."""

from ml_collections import ConfigDict

from experiments.configs import scenes

# Where captions tell labels alone (shape, x_pos, y_pos), two columns for the shape and one for any
# other: more are filled with what images alone show. From the first number (s_pos) on as many as
# values span: six for seven shapes, two for three places or for a hue, which is a circle. Where all
# is told, two to spare: nothing but rotations could fill them.
SIZES = (2, 3, 4, 11, 13, 15, 19)


def get_config(recipe: str = "scenes") -> ConfigDict:
    """The same settings, in encoding sizes that give labels and hues the columns they need."""
    config = scenes.get_config(recipe, SIZES)
    config.world.resolution = 48
    return config
