"""Cards on two cores: the study of cards.py with small encoders."""

from ml_collections import ConfigDict

from experiments.configs import cards


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns the config of `cards` with encoders of patches and of tokens."""
    return cards.get_config(recipe)
