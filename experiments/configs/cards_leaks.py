"""When do distorted factors leak? Replacement probability by spare dimensions, on cards.

Objective, temperature and steps are flags: --config.recipe.temperature=0.3,
--config.recipe.objective=alignment_max_entropy, --config.recipe.steps=6000.
"""

from ml_collections import ConfigDict

from experiments.configs import cards, default

PROBABILITIES = (0.0, 0.5, 0.9, 1.0)


def get_config(recipe: str = "patches") -> ConfigDict:
    """Returns the config: shading and shape distorted at four rates, in two encoding sizes."""
    config = cards.get_config(recipe)
    config.settings = tuple(
        default.setting(
            " ".join(cards.FACTORS),
            "shading shape",
            encoding_size=2 + spare,
            noise_probability=probability,
            **cards.LAWS,
        )
        for spare in (0, 2)
        for probability in PROBABILITIES
    )
    return config
