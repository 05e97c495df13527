"""SET cards (paper figures 5 and 12, on other photographs): number, color, shading and shape.

--config.world.data=set_cards_labelled.zip
"""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs import default

FACTORS = ("number", "color", "shading", "shape")
LAWS = {"dependence": "natural", "noise_law": "natural"}  # as in the data


def get_config(recipe: str = "resnet") -> ConfigDict:
    """Returns the config: captions mention, or distort, more and more factors.

    Values are distorted with probability 0.9, as in the paper, and with probability 1, which leaves
    no information in the word.
    """
    config = default.common(recipe)
    config.domain = "cards"
    config.world = {
        "data": placeholder(str),  # the folder or zip archive of photographs
        "height": 48,  # pixels of an image
        "width": 32,
        "test_share": 0.15,  # of the photographs, kept for tests
        "seed": 0,  # of the split
        "may_equal_truth": True,  # whether a replaced value may equal the true one, as in the paper
        "skip_undecodable": False,  # whether images that do not decode are left out and listed
    }
    config.evaluation = {"probes": ("logistic", "mlp")}
    select = [default.setting(" ".join(FACTORS[:count]), **LAWS) for count in range(1, 5)]
    perturb = [
        default.setting(
            " ".join(FACTORS), " ".join(FACTORS[kept:]), noise_probability=probability, **LAWS
        )
        for probability in (0.9, 1.0)
        for kept in (3, 2, 1)
    ]
    config.settings = (*select, *perturb)
    return config.lock()
