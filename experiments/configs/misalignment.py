"""Misalignment: every kind of misalignment, at rates from 0 to 1.

Several captions of an image are a flag: --config.world.captions=3 '--config.only=(...)'. Figure:
misalign studies.misalignment runs/misalignment
"""

from ml_collections import ConfigDict

from experiments.configs import default

RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
SPARE_SIZE = (  # kinds tried with one column for every semantic
    "mcar", "mcar_indicator", "mar", "mar_indicator", "mnar", "mnar_indicator", "strength", "noise",
)  # fmt: skip
EXACT_SIZE = ("mcar", "mnar", "strength", "noise")  # with one for every unbiased semantic
PROPAGATING = ("noise", "propagating", "propagating_in_text")  # exact size, dependent semantics


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns the config: two of five semantics misaligned, or whole captions; fixed biases."""
    config = default.get_config(recipe)
    config.world.update(semantics=5, image_only=3, text_only=3)
    config.recipe.steps = 3000
    config.evaluation.update(fit=8192, test=8192, probes=("mlp",))
    everything, distorted, others = default.first(5), default.first(2), "s3 s4 s5"
    # at rate 1 only the others are left, at rate 0 everything
    references = [
        default.setting(selected, encoding_size=size)
        for selected in (everything, others)
        for size in (3, 5)
    ]
    rows = [(kind, distorted, "independent", 5) for kind in SPARE_SIZE]
    rows += [(kind, distorted, "independent", 3) for kind in EXACT_SIZE]
    rows += [("shuffled", "", "independent", 5)]
    rows += [(kind, distorted, "dependent", 3) for kind in PROPAGATING]
    config.settings = (
        *references,
        *(
            default.setting(
                everything,
                perturbable,
                dependence=dependence,
                encoding_size=size,
                noise_probability=rate,
                misalignment=kind,
            )
            for kind, perturbable, dependence, size in rows
            for rate in RATES
        ),
    )
    return config
