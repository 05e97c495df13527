"""Misalignment as it is in the wild: every way in which captions are wrong, at rates from 0 to 1.

Several captions of an image are a flag: --config.world.captions=3 '--config.only=(...)'. Figure:
python -m experiments.studies.misalignment runs/misalignment
"""

from ml_collections import ConfigDict

from experiments.configs import default

RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
WITH_ROOM = (  # in representations with a column for every semantic
    "mcar", "mcar_indicator", "mar", "mar_indicator",
    "mnar", "mnar_indicator", "strength", "noise",
)  # fmt: skip
EXACT = ("mcar", "mnar", "strength", "noise")  # with one an unbiased semantic
PROPAGATING = ("noise", "propagating", "propagating_in_text")  # exact, semantics dependent


def get_config(recipe: str = "fast") -> ConfigDict:
    """Two of five semantics told wrongly, or whole captions; and the fixed biases at both ends."""
    config = default.get_config(recipe)
    config.world.update(semantics=5, image_only=3, text_only=3)
    config.recipe.steps = 3000
    config.evaluation.update(fit=8192, test=8192, probes=("mlp",))
    everything, wrong, rest = default.first(5), default.first(2), "s3 s4 s5"
    # Rate 1 leaves the rest alone, rate 0 everything.
    fixed = [
        default.setting(selected, encoding_size=size)
        for selected in (everything, rest)
        for size in (3, 5)
    ]
    rows = [(kind, wrong, "independent", 5) for kind in WITH_ROOM]
    rows += [(kind, wrong, "independent", 3) for kind in EXACT]
    rows += [("shuffled", "", "independent", 5)]
    rows += [(kind, wrong, "dependent", 3) for kind in PROPAGATING]
    config.settings = (
        *fixed,
        *(
            default.setting(everything, perturbable, law, size, rate, kind)
            for kind, perturbable, law, size in rows
            for rate in RATES
        ),
    )
    return config
