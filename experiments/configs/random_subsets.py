"""Random subsets: selections other than the first k."""

import numpy as np
from ml_collections import ConfigDict

from experiments.configs import default

COUNT = 20  # of the 1023 subsets of ten semantics


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config: selections drawn once, without replacement.

    Semantics are dependent, so attainable scores of biased ones are anywhere from 0 to 1.
    """
    config = default.get_config(recipe)
    drawn = np.random.default_rng(0).choice(np.arange(1, 2**10), COUNT, replace=False)
    config.settings = tuple(
        default.setting(_names(int(number)), dependence="dependent") for number in np.sort(drawn)
    )
    return config


def _names(number: int) -> str:
    """The subset whose members are the bits of a number."""
    return " ".join(f"s{bit + 1}" for bit in range(10) if number >> bit & 1)
