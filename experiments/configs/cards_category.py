"""SET cards with captions of other cards of the same category, at rates from 0 to 1.

--config.world.data=set_cards_labelled.zip
"""

from ml_collections import ConfigDict

from experiments.configs import cards, default
from experiments.configs.category import category_settings


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns the config of `cards` where number and color are the category of a card."""
    config = cards.get_config(recipe)
    everything, category = " ".join(cards.FACTORS), " ".join(cards.FACTORS[:2])
    perturbable = " ".join(cards.FACTORS[2:])
    config.settings = (
        default.setting(everything, **cards.LAWS),  # without shuffle
        *category_settings(everything, perturbable, sizes=(2, 4), **cards.LAWS),
        default.setting(category, **cards.LAWS),  # the category alone
    )
    return config
