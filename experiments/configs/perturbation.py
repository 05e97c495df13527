"""Perturbation bias (paper figures 3 and 7): all semantics selected, the first k distorted."""

from ml_collections import ConfigDict

from experiments.configs import default


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config of the perturbation study."""
    config = default.get_config(recipe)
    config.settings = tuple(
        default.setting(default.first(10), default.first(k), dependence=dependence)
        for dependence in ("independent", "dependent")
        for k in range(10)
    )
    return config
