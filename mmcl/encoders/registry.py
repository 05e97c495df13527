"""Registry of encoders, by the names that a recipe can give them.

An entry is a function (recipe, widths) -> Encoder: `recipe` is a `Recipe`, `widths` are those of
the hidden layers of this encoder.
"""

from collections.abc import Callable

from mmcl.encoders.encoder import Encoder
from mmcl.encoders.mlp import mlp
from mmcl.encoders.text import text_cnn, tokens
from mmcl.encoders.vision import patches, resnet18


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


EncoderFactory = Callable[..., Encoder]  # (recipe, widths) -> encoder
IMAGE_ENCODERS: dict[str, EncoderFactory] = {
    "mlp": _mlp,
    "patches": _patches,
    "resnet18": _resnet18,
}
TEXT_ENCODERS: dict[str, EncoderFactory] = {"mlp": _mlp, "tokens": _tokens, "text_cnn": _text_cnn}
