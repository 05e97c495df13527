"""Quickstart: a few settings, in about three minutes on two cores."""

from experiments.configs import default


def get_config(recipe=None):
    config = default.get_config(recipe)
    config.settings = (
        default.setting(default.first(1)),
        default.setting(default.first(3)),
        default.setting(default.first(5)),
        default.setting(default.first(3), dependence="dependent"),
    )
    return config
