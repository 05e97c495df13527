"""Defaults of every study; a study sets its settings on top of them."""

import inspect
from collections.abc import Sequence
from itertools import product
from typing import Any

from ml_collections import ConfigDict
from ml_collections.config_dict import placeholder

from experiments.configs.recipes import get_recipe

BIAS = ("selected", "perturbable")  # fields of a setting that its name contains


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
        "covariance": placeholder(str),  # npy file with that of the semantics, of all lanes
        "file": placeholder(str),  # npz file with a whole world, of all lanes
        "sha256": placeholder(str),  # of that file and
        "law": placeholder(str),  # the kind of its law; both are set when a run begins
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
            "plugins": (),  # modules that register parts of your own, as ("mine",)
            "loggers": (),  # "tensorboard", "wandb" or one of a plugin; get the rows of history.csv
            "domain": "",  # kind of world; `world` and `evaluation` have its fields
            "settings": (),
            # settings to run, by name, or by columns ("dependence=independent,temperature=0.3");
            "only": (),  # empty for all
            # by name, as in the column `setting`; a name has all laws, sizes and rates
            "steps_by_setting": (),  # ("perturb [9]", 10_000): settings with other steps
            "seeds": 1,  # lanes of each setting; seeds count from 0
            "world_seed": placeholder(int),  # of the world of all lanes; None for that of the lane
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
    world_seed: int | None = None,
    learning_rate: float | None = None,
    temperature: float | None = None,
    clip_norm: float | None = None,
    weight_decay: float | None = None,
    steps: int | None = None,
) -> ConfigDict:
    """Returns one setting.

    selected, perturbable: names of semantics, as in `results.csv` ("s1 s2 s3").
    dependence:    joint law of the semantics; for latents a name in `lvm.DEPENDENCES`.
    noise_law:     law of their exogenous noise; for latents a name in `lvm.NOISE_LAWS`.
    encoding_size: None for the number of unbiased semantics, as in the theory.
    misalignment:  a name in `lvm.MISALIGNMENTS`; noise_probability is its rate.
    seed:          of a setting with a single lane; None for the seeds of the config.
    world_seed:    of the world; None for that of the config, or else the seed of the lane.
    learning_rate, temperature, clip_norm, weight_decay, steps:
                   of training; None for those of the recipe.
    """
    optional = {
        "seed": seed,
        "world_seed": world_seed,
        "learning_rate": learning_rate,
        "temperature": temperature,
        "clip_norm": clip_norm,
        "weight_decay": weight_decay,
        "steps": steps,
    }
    return ConfigDict(
        {
            **{field: value for field, value in optional.items() if value is not None},
            "selected": selected,
            "perturbable": perturbable,
            "dependence": dependence,
            "noise_law": noise_law,
            "encoding_size": placeholder(int) if encoding_size is None else encoding_size,
            "noise_probability": noise_probability,
            "misalignment": misalignment,
        }
    )


def grid(settings: Sequence[ConfigDict], **values: Sequence[Any]) -> tuple[ConfigDict, ...]:
    """Returns every setting with every combination of values of its fields.

    grid(settings, learning_rate=(1e-3, 1e-2), temperature=(0.3, 1.0)) has four for each setting.

    Raises ValueError for a field that lanes of one compiled program share, such as `batch`.
    """
    allowed = [name for name in inspect.signature(setting).parameters if name not in BIAS]
    for field, choices in values.items():
        if field not in allowed:
            raise ValueError(f"grid has the field {field!r}: allowed is {', '.join(allowed)}")
        if not isinstance(choices, tuple | list) or not choices:
            raise ValueError(f"grid has {field}={choices!r}: allowed is a tuple of values")
    combinations = [dict(zip(values, chosen, strict=True)) for chosen in product(*values.values())]
    return tuple(
        setting(**{**chosen.to_dict(), **combination})
        for chosen in settings
        for combination in combinations
    )


def first(count: int) -> str:
    """Returns the names of the first semantics: first(3) is "s1 s2 s3", the paper's [3]."""
    return " ".join(f"s{i}" for i in range(1, count + 1))
