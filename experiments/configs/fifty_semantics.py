"""Fifty semantics: one random subset of each of ten sizes."""

import numpy as np
from ml_collections import ConfigDict

from experiments.configs import default

SEMANTICS = 50
SIZES = range(5, SEMANTICS + 1, 5)  # of the subsets


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config: for each size a selection that is drawn once, semantics are dependent."""
    config = default.get_config(recipe)
    config.world.semantics = SEMANTICS
    config.settings = tuple(default.setting(_names(size), dependence="dependent") for size in SIZES)
    config.evaluation.probes = ("mlp",)
    return config


def _names(size: int) -> str:
    """A random subset of the semantics."""
    drawn = np.random.default_rng(size).choice(SEMANTICS, size, replace=False)
    return " ".join(f"s{index + 1}" for index in np.sort(drawn))
