"""Quickstart: four settings of the numerical study."""

from ml_collections import ConfigDict

from experiments.configs import default


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns four settings, one of them with dependent semantics."""
    config = default.get_config(recipe)
    config.recipe.steps = 6000
    config.settings = (
        default.setting(default.first(1)),
        default.setting(default.first(3)),
        default.setting(default.first(5)),
        default.setting(default.first(3), dependence="dependent"),
    )
    return config
