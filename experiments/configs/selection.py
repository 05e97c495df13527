"""Selection bias (paper figures 3 and 7): the text speaks of the first k of ten semantics."""

from experiments.configs import default


def get_config(recipe=None):
    config = default.get_config(recipe)
    config.settings = tuple(
        default.setting(default.first(k), dependence=dependence)
        for dependence in ("independent", "dependent")
        for k in range(1, 11)
    )
    return config
