"""Objectives: kept and leaked scores of each, one run per objective.

misalign run objectives:NAME, where NAME is one of `mmcl.OBJECTIVES`.
"""

from ml_collections import ConfigDict

from experiments.configs import default


def get_config(objective: str = "alignment_max_entropy") -> ConfigDict:
    """Returns the config: half selected, all selected, half distorted without and with spare size.

    Semantics are independent, so a biased one can only be represented because it leaked. Each
    objective is used without refinement, with the same encoders, steps and learning rate.
    """
    config = default.get_config()
    config.recipe.update(objective=objective, steps=2500, refine=0.0, refine_rate=0.0)
    config.evaluation.probes = ("mlp",)
    distorted = default.first(10), default.first(5)
    config.settings = (
        default.setting(default.first(5)),
        default.setting(default.first(10)),
        default.setting(*distorted),
        default.setting(*distorted, encoding_size=7),
    )
    return config
