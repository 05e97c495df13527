"""Cards (figures 5 and 12 on other photographs): number, color, shading and shape of SET cards.

--config.world.data=set_cards_labelled.zip
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import default

FACTORS = ("number", "color", "shading", "shape")
LAW = "natural"


def get_config(recipe: str = "resnet") -> ConfigDict:
    """Captions that leave out more and more factors, and captions that get more and more wrong.

    Wrong with probability 0.9, as in the paper, and always: then a word tells nothing.
    """
    config = default.common(recipe)
    config.domain = "cards"
    config.world = {
        "data": placeholder(str),  # the folder or zip archive of photographs
        "height": 48,  # pixels of an image
        "width": 32,
        "test_share": 0.15,  # of the photographs, kept for tests
        "seed": 0,  # of the split
        "may_equal_truth": True,  # whether a distorted value may be the true one, as in the paper
        "skip_undecodable": False,  # whether images that do not decode are left out and told
    }
    config.evaluation = {"probes": ("logistic", "mlp")}
    select = [default.setting(" ".join(FACTORS[:count]), "", LAW) for count in range(1, 5)]
    perturb = [
        default.setting(" ".join(FACTORS), " ".join(FACTORS[kept:]), LAW, None, probability)
        for probability in (0.9, 1.0)
        for kept in (3, 2, 1)
    ]
    config.settings = (*select, *perturb)
    return config.lock()
