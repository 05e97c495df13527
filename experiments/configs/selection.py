"""Selection bias (paper figures 3 and 7): the first k of ten semantics selected."""

from ml_collections import ConfigDict

from experiments.configs import default


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config of the selection study."""
    config = default.get_config(recipe)
    config.settings = tuple(
        default.setting(default.first(k), dependence=dependence)
        for dependence in ("independent", "dependent")
        for k in range(1, 11)
    )
    return config
