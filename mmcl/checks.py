"""Checks: errors for arguments of training functions that do not fit the recipe.

They read shapes, dtypes and Python numbers, never the values of arrays, so they add nothing to a
compiled program.
"""

from numbers import Real
from typing import Any, NamedTuple

import jax.numpy as jnp

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
    """Raises ValueError for a mask of another size or dtype, and for numbers out of range.

    Only Python and NumPy numbers are checked, not arrays, whose values may be traced.
    """
    mask = hyper.dimensions
    if mask is not None:
        is_array = hasattr(mask, "dtype") and hasattr(mask, "shape")
        shown = f"{mask.dtype} {list(mask.shape)}" if is_array else type(mask).__name__
        is_mask = is_array and mask.dtype == jnp.bool_ and mask.shape == (recipe.outputs,)
        require("hyper.dimensions", shown, is_mask, f"None or bool [{recipe.outputs}]")
    for field in ("temperature", "clip_norm"):
        value = getattr(hyper, field)
        require(f"hyper.{field}", value, _above_0(value), "above 0")
    check_not_negative("hyper.schedule.peak", hyper.schedule.peak)
    check_not_negative("hyper.weight_decay", hyper.weight_decay)


def check_not_negative(name: str, value: Any) -> None:
    """Raises ValueError for a Python number below 0."""
    require(name, value, not isinstance(value, Real) or bool(value >= 0), "0 or more")


def _above_0(value: Any) -> bool:
    return not isinstance(value, Real) or bool(value > 0)
