"""Encoding size: more or fewer dimensions than unbiased semantics, under both biases."""

from ml_collections import ConfigDict

from experiments.configs import default


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config: select [3] and perturb [7], three unbiased each, in sizes 1 to 10.

    Semantics are independent, so a biased one can only be represented because it leaked.
    """
    config = default.get_config(recipe)
    config.settings = tuple(
        default.setting(*bias, encoding_size=size)
        for bias in ((default.first(3), ""), (default.first(10), default.first(7)))
        for size in range(1, 11)
    )
    return config
