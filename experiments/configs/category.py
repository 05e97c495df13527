"""Category: captions of other scenes of the same category, at rates from 0 to 1.

misalign studies.misalignment runs/category
"""

from ml_collections import ConfigDict

from experiments.configs import default

RATES = (0.0, 0.25, 0.5, 0.75, 1.0)


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config: the signs of two of four semantics are the category of a scene."""
    config = default.get_config(recipe)
    config.world.update(semantics=4, image_only=2, text_only=2)
    config.recipe.steps = 4000
    config.evaluation.update(fit=8192, test=8192, probes=("mlp",))
    everything = default.first(4)
    config.settings = (
        default.setting(everything),  # without shuffle
        *category_settings(everything, default.first(2), sizes=(2, 4)),
        default.setting(
            everything, default.first(2), misalignment="category_alone", noise_probability=1.0
        ),
    )
    return config


def category_settings(
    everything: str, perturbable: str, sizes: tuple[int, int], **laws: str
) -> tuple[ConfigDict, ...]:
    """Returns settings of shuffled captions at several rates.

    sizes: encoding sizes, of the category, for rates above 0, and of everything, below 1.
    """
    return tuple(
        default.setting(
            everything,
            perturbable,
            encoding_size=size,
            noise_probability=rate,
            misalignment="shuffled_in_category",
            **laws,
        )
        for size, rates in zip(sizes, (RATES[1:], RATES[:-1]), strict=True)
        for rate in rates
    )
