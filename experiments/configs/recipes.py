"""Recipes: everything about training, by name. Every field of a recipe is in sight here."""

import difflib

from ml_collections import ConfigDict


def fast() -> ConfigDict:
    """Minutes on two cores: whitened observations, small encoders, SOAP."""
    return ConfigDict(
        {
            "widths": (64, 64, 64),
            "slope": 0.2,
            "whiten": True,
            "batch": 1024,
            "group": 256,
            "steps": 12_000,
            "objective": "alignment_max_entropy",
            "similarity": "negative_squared_distance",
            "negatives": "in_batch",
            "temperature": 1.0,
            "refine": 1 / 6,  # share of the steps, the last ones, with whitened entropy too
            "optimizer": "soap",
            "learning_rate": 3e-2,
            "warmup": 100,
            "decay": True,
            "clip_norm": 2.0,
        }
    )


def paper() -> ConfigDict:
    """The paper's protocol (section 5.1 and appendix): days on two cores."""
    return ConfigDict(
        {
            "widths": (150, 750, 750, 750, 750, 150),
            "slope": 0.01,
            "whiten": False,
            "batch": 6144,
            "group": 6144,
            "steps": 100_000,
            "objective": "alignment_max_entropy",
            "similarity": "negative_squared_distance",
            "negatives": "second_batch",
            "temperature": 1.0,
            "refine": 0.0,
            "optimizer": "adam",
            "learning_rate": 1e-4,
            "warmup": 0,
            "decay": False,
            "clip_norm": 2.0,
        }
    )


RECIPES = {"fast": fast, "paper": paper}


def get_recipe(name: str) -> ConfigDict:
    """The recipe called `name`; raises ValueError, with the nearest known name, for another."""
    if name not in RECIPES:
        near = difflib.get_close_matches(name, RECIPES, 1, 0)
        raise ValueError(
            f"recipe is {name!r}: allowed is one of {', '.join(RECIPES)}; nearest is {near[0]!r}"
        )
    return RECIPES[name]()
