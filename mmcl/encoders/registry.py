"""Registry of encoders, by the names that a recipe can give them.

An entry is a function (recipe, widths) -> Encoder or flax module: `recipe` is a `Recipe`, `widths`
are those of the hidden layers of this encoder.
"""

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax.numpy as jnp

from mmcl.encoders.encoder import Encoder, network_encoder
from mmcl.encoders.mlp import mlp
from mmcl.encoders.text import text_cnn, tokens
from mmcl.encoders.vision import patches, resnet18
from mmcl.part_checks import check_alike, check_array, part_name


def _mlp(recipe, widths):
    return mlp(widths, recipe.outputs, recipe.slope, recipe.whiten)


def _patches(recipe, widths):
    return patches(widths, recipe.head_widths, recipe.outputs, recipe.slope)


def _resnet18(recipe, _):
    return resnet18(recipe.outputs, recipe.normalization)


def _tokens(recipe, widths):
    return tokens(recipe.vocabulary, widths, recipe.outputs, recipe.slope)


def _text_cnn(recipe, _):
    return text_cnn(recipe.vocabulary, recipe.outputs, recipe.normalization)


EncoderFactory = Callable[..., Encoder | nn.Module]  # (recipe, widths) -> encoder
IMAGE_ENCODERS: dict[str, EncoderFactory] = {
    "mlp": _mlp,
    "patches": _patches,
    "resnet18": _resnet18,
}
TEXT_ENCODERS: dict[str, EncoderFactory] = {"mlp": _mlp, "tokens": _tokens, "text_cnn": _text_cnn}


def make_encoder(
    part: str | EncoderFactory,
    recipe: Any,
    widths: tuple[int, ...],
    known: Mapping[str, EncoderFactory],
) -> Encoder:
    """Returns an encoder, given by its name in `known` or as a factory (recipe, widths) -> encoder.

    A factory returns an `Encoder`, or a flax module that is called with observations [n, ...] and
    the keyword `train`, as `network_encoder` calls it.

    Raises ValueError for a factory that returns something else, and, once the encoder is traced,
    for representations of another shape than [n, recipe.outputs].
    """
    label = f"encoder {part_name(part)!r}"
    factory = known[part] if isinstance(part, str) else part
    made = factory(recipe, widths)
    if isinstance(made, nn.Module):
        made = network_encoder(made, lambda observations: (), _as_float32)
    if not isinstance(made, Encoder):
        allowed = "a flax.linen.Module or a mmcl.Encoder"
        raise ValueError(f"{label} makes {type(made).__name__}: allowed is {allowed}")
    return _checked(label, made, recipe.outputs)


def _as_float32(_, observations):
    is_float = jnp.issubdtype(observations.dtype, jnp.floating)
    return observations.astype(jnp.float32) if is_float else observations


def _checked(label: str, encoder: Encoder, outputs: int) -> Encoder:
    """Returns the encoder, with checks of its results."""
    check_rows = lambda z, rows: check_array(label, z, (len(rows), outputs))

    def apply(params, stats, observations):
        z = encoder.apply(params, stats, observations)
        check_rows(z, observations)
        return z

    def train(params, stats, observations):
        z, updated = encoder.train(params, stats, observations)
        check_rows(z, observations)
        check_alike(f"stats of {label} in training", updated, stats, "those of init")
        return z, updated

    return Encoder(encoder.init, apply, train)
