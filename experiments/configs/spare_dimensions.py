"""Spare dimensions under perturbation: when do distorted semantics leak?

Steps and objective are flags: --config.recipe.steps=24000, or
--config.recipe.objective=symmetric_infonce --config.recipe.refine=0.0.
"""

from ml_collections import ConfigDict

from experiments.configs import default


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config: five of ten distorted at four rates, with 0 to 5 spare dimensions."""
    config = default.get_config(recipe)
    config.settings = tuple(
        default.setting(
            default.first(10), default.first(5), encoding_size=5 + spare, noise_probability=noise
        )
        for noise in (0.25, 0.5, 0.75, 1.0)
        for spare in (0, 1, 2, 5)
    )
    return config
