"""Checks: errors for arguments of training functions that do not fit the recipe.

They read shapes, dtypes and the values of numbers that are known, not traced, so they add nothing
to a compiled program.
"""

from typing import Any, NamedTuple

import jax.numpy as jnp

from mmcl.numbers import check_above_0, check_not_negative, check_number
from mmcl.optimizers.schedule import Schedule
from mmcl.recipe import Hyperparameters, Recipe


class Input(NamedTuple):
    """The arrays that an encoder takes.

    kinds:       scalar types, one of which the dtype must belong to.
    ndim:        number of axes.
    description: of such arrays, for error messages.
    """

    kinds: tuple[Any, ...]
    ndim: int
    description: str


VECTORS = Input((jnp.floating,), 2, "floats [n, features]")
IMAGES = Input((jnp.integer, jnp.floating), 4, "integers or floats [n, height, width, channels]")
TOKEN_IDS = Input((jnp.integer,), 2, "integers [n, length]")
IMAGE_INPUTS = {"mlp": VECTORS, "patches": IMAGES, "resnet18": IMAGES}
TEXT_INPUTS = {"mlp": VECTORS, "tokens": TOKEN_IDS, "text_cnn": TOKEN_IDS}


def require(field: str, value: Any, holds: bool, allowed: str) -> None:
    """Raises ValueError, with the field, its value and the allowed ones, unless `holds`."""
    if not holds:
        raise ValueError(f"{field} is {value}: allowed is {allowed}")


def check_observations(
    recipe: Recipe, name: str, observations: Any, allow_none: bool = False
) -> None:
    """Raises ValueError unless images and texts are arrays that the encoders of `recipe` take.

    name:       of the argument, for error messages.
    allow_none: whether one of the two may be None.
    """
    if allow_none:
        missing = observations.x is None and observations.t is None
        require(f"{name}.x and {name}.t", None, not missing, "None for one of them")
    encoders = ("image_encoder", "x", IMAGE_INPUTS), ("text_encoder", "t", TEXT_INPUTS)
    for field, modality, inputs in encoders:
        encoder, array = getattr(recipe, field), getattr(observations, modality)
        if array is None and allow_none:
            continue
        is_array = hasattr(array, "dtype") and hasattr(array, "shape")
        shown = f"{array.dtype} {list(array.shape)}" if is_array else type(array).__name__
        require(f"{name}.{modality}", shown, is_array, "an array")
        if encoder in inputs:  # any other is registered by a user
            takes = inputs[encoder]
            fits = any(jnp.issubdtype(array.dtype, kind) for kind in takes.kinds)
            fits &= len(array.shape) == takes.ndim
            allowed = f"{takes.description} for {field} {encoder!r}"
            require(f"{name}.{modality}", shown, fits, allowed)


def check_pairs(recipe: Recipe, name: str, observations: Any) -> None:
    """Raises ValueError unless observations are one or more pairs for the encoders of `recipe`."""
    check_observations(recipe, name, observations)
    pairs = observations.x.shape[0]
    require(f"len({name}.x)", pairs, pairs >= 1, "1 or more")
    texts = observations.t.shape[0]
    require(f"len({name}.t)", texts, texts == pairs, f"{pairs}, as many as images")


def check_batch(recipe: Recipe, batch: Any) -> None:
    """Raises ValueError unless a training batch can be divided into groups of pairs."""
    check_pairs(recipe, "batch", batch)
    group, described = recipe.group, "recipe.group"
    if recipe.negatives == "second_batch":
        group, described = 2 * group, "2 recipe.group"
    pairs = batch.x.shape[0]
    require("len(batch.x)", pairs, pairs % group == 0, f"a multiple of {described}, {group}")


def check_hyperparameters(recipe: Recipe, hyper: Hyperparameters) -> None:
    """Raises ValueError for a mask of another size or dtype, and for numbers out of range."""
    mask = hyper.dimensions
    if mask is not None:
        is_array = hasattr(mask, "dtype") and hasattr(mask, "shape")
        shown = f"{mask.dtype} {list(mask.shape)}" if is_array else type(mask).__name__
        is_mask = is_array and mask.dtype == jnp.bool_ and mask.shape == (recipe.outputs,)
        require("hyper.dimensions", shown, is_mask, f"None or bool [{recipe.outputs}]")
    check_above_0("hyper.temperature", hyper.temperature)
    above_0 = lambda number: number > 0
    check_number("hyper.clip_norm", hyper.clip_norm, above_0, "above 0, or infinite")
    check_not_negative("hyper.weight_decay", hyper.weight_decay)
    check_schedule(hyper.schedule)


def check_schedule(schedule: Schedule) -> None:
    """Raises ValueError for a number of a schedule that is NaN or out of range."""
    for field in ("peak", "warmup", "end_steps"):
        check_not_negative(f"hyper.schedule.{field}", getattr(schedule, field))
    not_negative = lambda number: number >= 0
    decay_end = schedule.decay_end
    check_number("hyper.schedule.decay_end", decay_end, not_negative, "0 or more, or infinite")
    check_fraction("hyper.schedule.floor", schedule.floor)


def check_fraction(field: str, value: Any) -> None:
    """Raises ValueError for a number that is not between 0 and 1."""
    check_number(field, value, lambda number: 0 <= number <= 1, "0 to 1")
