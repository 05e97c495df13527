"""Linearity: are kept semantics linearly decodable? One run per objective and output space.

misalign run linearity:OBJECTIVE,SPACE, such as linearity:symmetric_infonce,cube. Table and figure
of such runs: misalign studies.linearity
"""

from ml_collections import ConfigDict

import lvm
from experiments.configs import default

TEMPERATURES = {"free": 1.0, "sphere": 0.1, "cube": 0.05}  # by the distances that a space allows
DEPENDENCES = ("independent", "dependent")


def get_config(choice: str = "symmetric_infonce,free") -> ConfigDict:
    """Returns the config: three of five semantics selected, for every law."""
    objective, _, space = choice.partition(",")
    if space not in TEMPERATURES:
        allowed = ", ".join(TEMPERATURES)
        raise ValueError(f"output space is {space!r}: allowed is one of {allowed}, after a comma")
    config = default.get_config()
    config.world.update(semantics=5, image_only=3, text_only=3)
    config.recipe.update(
        objective=objective,
        output_space=space,
        temperature=TEMPERATURES[space],
        steps=2500,
        refine=0.0,
        refine_rate=0.0,
    )
    config.evaluation.update(fit=8192, test=8192)
    config.settings = tuple(
        default.setting(default.first(3), dependence=dependence, noise_law=noise_law)
        for dependence in DEPENDENCES
        for noise_law in lvm.NOISE_LAWS
    )
    return config
