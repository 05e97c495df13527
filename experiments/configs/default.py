"""Defaults of every study; a study sets its settings on top of them."""

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs.recipes import get_recipe


def get_config(recipe: str = "fast") -> ConfigDict:
    """Returns a config of the numerical study without settings, locked: a misspelt field raises."""
    config = common(recipe)
    config.domain = "latents"
    config.world = {
        "semantics": 10,
        "image_only": 5,
        "text_only": 5,
        "mixing_layers": 3,
        "captions": 1,  # of an image, which the text encoder receives together
        "variant": "paper",  # or "reference": the laws of the authors' code
    }
    config.evaluation = {
        "probes": ("linear", "mlp"),  # and "kernel"
        "fit": 20480,  # pairs a probe is fitted on
        "test": 20480,  # pairs it is tested on
        "downstream": False,  # whether heads are fitted to downstream outcomes too
        "shifted": "s9 s10",  # semantics with heavy tails in the shifted environment
    }
    return config.lock()


def common(recipe: str) -> ConfigDict:
    """Returns the fields of every domain; not locked, since a domain adds its own."""
    return ConfigDict(
        {
            "domain": "",  # kind of world; `world` and `evaluation` have its fields
            "settings": (),
            # both by name, as in the column `setting`; a name has all laws, sizes and rates
            "only": (),  # settings to run; empty for all
            "steps_by_setting": (),  # ("perturb [9]", 10_000): settings with other steps
            "seeds": 1,  # lanes of each setting; seeds count from 0
            "min_encoding_size": 1,  # of a setting that gives no encoding size
            "world": {},
            "recipe": get_recipe(recipe),
            "evaluation": {},
            "log_every": 200,  # steps between two points of history.csv
            "save_every": 2000,  # steps between two checkpoints, at most
            "save_minutes": 10.0,  # minutes between two checkpoints, at most
            "lanes_per_block": placeholder(int),  # that run together; None for as many as fit
            "devices_per_lane": 1,  # that share the batch of a lane
        }
    )


def setting(
    selected: str,
    perturbable: str = "",
    *,
    dependence: str = "independent",
    noise_law: str = "gaussian",
    encoding_size: int | None = None,
    noise_probability: float = 0.75,
    misalignment: str = "noise",
    seed: int | None = None,
) -> ConfigDict:
    """Returns one setting.

    selected, perturbable: names of semantics, as in `results.csv` ("s1 s2 s3").
    dependence:    joint law of the semantics; for latents a name in `lvm.DEPENDENCES`.
    noise_law:     law of their exogenous noise; for latents a name in `lvm.NOISE_LAWS`.
    encoding_size: None for the number of unbiased semantics, as in the theory.
    misalignment:  a name in `lvm.MISALIGNMENTS`; noise_probability is its rate.
    seed:          of a setting with a single lane; None for the seeds of the config.
    """
    of_one_lane = {} if seed is None else {"seed": seed}
    return ConfigDict(
        {
            **of_one_lane,
            "selected": selected,
            "perturbable": perturbable,
            "dependence": dependence,
            "noise_law": noise_law,
            "encoding_size": placeholder(int) if encoding_size is None else encoding_size,
            "noise_probability": noise_probability,
            "misalignment": misalignment,
        }
    )


def first(count: int) -> str:
    """Returns the names of the first semantics: first(3) is "s1 s2 s3", the paper's [3]."""
    return " ".join(f"s{i}" for i in range(1, count + 1))
