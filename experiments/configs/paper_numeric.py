"""The paper's whole numerical section: both biases, ablations, downstream (figures 3, 4, 7-10)."""

from ml_collections import ConfigDict

from experiments.configs import default, perturbation, selection


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config: 114 lanes for the paper's 120, and 12 lanes of its ablations.

    Full selection without noise belongs to both studies, so its lanes occur once. The ablations are
    five dimensions for [3], and both biases at once. The `fast` recipe takes fewer steps in all
    settings that do not need more.
    """
    config = default.get_config(recipe)
    perturbed = [setting for setting in perturbation.get_config().settings if setting.perturbable]
    ablations = [
        ablation
        for dependence in ("independent", "dependent")
        for ablation in (
            default.setting(default.first(3), dependence=dependence, encoding_size=5),
            default.setting(default.first(8), default.first(2), dependence=dependence),
        )
    ]
    config.settings = (*selection.get_config().settings, *perturbed, *ablations)
    if recipe == "fast":  # more noise in captions needs more pairs
        config.steps_by_setting = tuple((f"perturb [{k}]", config.recipe.steps) for k in (8, 9))
        config.recipe.steps = 7000
    config.seeds = 3
    config.evaluation.update(probes=("linear", "mlp", "kernel"), downstream=True)
    return config
