"""Adaptive: the paper's settings, without the number of unbiased semantics.

The recipe estimates the encoding size (docs/encoding_size.md).
"""

import numpy as np
from ml_collections import ConfigDict

from experiments.configs import cards_small, default, perturbation, scenes_small, selection

RANDOM_PAIRS = 20
IMAGE_STUDIES = {"cards": cards_small.get_config, "scenes": scenes_small.get_config}
RATES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1.0)


def get_config(study: str = "paper") -> ConfigDict:
    """Returns the config of a study.

    "paper":  the settings of `paper_numeric`, both biases at once, and [3] in five columns; for
              independent and dependent semantics, three seeds.
    "random": 20 random selections, each with a random part of it perturbable, each in a linear
              causal model of its own.
    "rates":  one of four selected semantics blended with noise, or omitted, at rates up to 1.
    "cards":  the settings of `cards_small`; needs --config.world.data=set_cards_labelled.zip.
    "scenes": the settings of `scenes_small`.
    """
    if study in IMAGE_STUDIES:
        return _estimate_size(IMAGE_STUDIES[study]())
    config = default.get_config("adaptive")
    if study == "rates":
        config.world.update(semantics=5, image_only=3, text_only=3)
        config.settings = tuple(
            default.setting(default.first(4), "s1", noise_probability=rate, misalignment=kind)
            for kind in ("strength", "mcar")
            for rate in RATES
        )
        return config
    if study == "random":
        config.settings = _random_settings()
        return config
    if study != "paper":
        raise ValueError(f"study is {study!r}: allowed is paper, random, rates, cards, scenes")
    perturbed = [setting for setting in perturbation.get_config().settings if setting.perturbable]
    others = [
        setting
        for dependence in ("independent", "dependent")
        for setting in (
            default.setting(default.first(8), default.first(2), dependence=dependence),
            default.setting(default.first(3), dependence=dependence, encoding_size=5),
        )
    ]
    config.settings = (*selection.get_config().settings, *perturbed, *others)
    config.seeds = 3
    return config


def _estimate_size(config: ConfigDict) -> ConfigDict:
    """Returns a config whose recipe runs twice, with all columns and with as many as estimated."""
    with config.unlocked():
        config.recipe.update(steps=2 * config.recipe.steps, estimate_size=True)
        for setting in config.settings:
            setting.encoding_size = None
    return config


def _random_settings() -> tuple[ConfigDict, ...]:
    """Selections of 2 to 10 of ten semantics, of which 0 to all but one are perturbable."""
    generator = np.random.default_rng(2026)
    settings = []
    for seed in range(1000, 1000 + RANDOM_PAIRS):
        selected = generator.permutation(10)[: generator.integers(2, 11)]
        perturbable = selected[: generator.integers(0, len(selected))]
        names = (" ".join(f"s{i + 1}" for i in sorted(part)) for part in (selected, perturbable))
        settings.append(default.setting(*names, dependence="linear_scm", seed=seed))
    return tuple(settings)
