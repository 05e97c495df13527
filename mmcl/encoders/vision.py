"""Vision: encoders of images, uint8 [n, height, width, channels]."""

import math
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from mmcl.encoders.encoder import Encoder, network_encoder, normalization_layer

FIRST_PATCH, PATCH = 4, 2  # side of a patch in pixels, then in patches of the previous layer
STAGES = (64, 128, 256, 512)  # channels of the stages of ResNet18, two blocks each
RESNET_OUTPUTS = 100  # width of the layer before the last, as in the paper
GROUPS = 32  # of group normalisation

Images = Shaped[Array, "n height width channels"]


class PixelScale(NamedTuple):
    """Mean and standard deviation of each channel: float32 [channels] each."""

    mean: Float[Array, " channels"]
    std: Float[Array, " channels"]


def patches(
    widths: tuple[int, ...], head_widths: tuple[int, ...], outputs: int, slope: float
) -> Encoder:
    """Returns a cheap encoder: layers on patches that do not overlap, then dense layers.

    The first layer maps patches of 4 x 4 pixels, each further layer patches of 2 x 2 outputs of the
    previous one. The dense layers are applied to all patches together. All layers but the last have
    leaky ReLUs.

    widths:      of the layers on patches.
    head_widths: of the hidden dense layers.
    outputs:     number of columns of a representation.
    slope:       of the leaky ReLUs at negative inputs.

    Functions of the encoder raise ValueError for images whose sides are not multiples of the
    largest patch.
    """
    sides = patch_sides(len(widths))

    def prepare(scale, images):
        return standardise(scale, nested_patches(images, sides))

    return network_encoder(_Patches(widths, head_widths, outputs, slope), fit_pixels, prepare)


def patch_sides(layers: int) -> tuple[int, ...]:
    """Returns the sides of patches of each layer: in pixels, then in patches of the layer before.

    The sides of images must be multiples of their product.
    """
    return tuple(PATCH if layer else FIRST_PATCH for layer in range(layers))


def resnet18(outputs: int, normalization: str) -> Encoder:
    """Returns ResNet18 (He et al., arXiv 1512.03385), then 100 leaky ReLUs and a linear layer.

    outputs:       number of columns of a representation.
    normalization: "batch" or "group".
    """
    return network_encoder(_ResNet18(outputs, normalization), fit_pixels, standardise)


def fit_pixels(images: Images) -> PixelScale:
    """Returns mean and standard deviation of each channel; the latter is 1 if it is constant."""
    # a mean of means: a sum over millions of pixels would lose digits
    mean_of = lambda pixels: pixels.mean((1, 2)).mean(0)
    pixels = images.astype(jnp.float32)
    mean = mean_of(pixels)
    std = jnp.sqrt(mean_of((pixels - mean[None, None, None]) ** 2))
    return PixelScale(mean, jnp.where(std > 0, std, 1.0))


def standardise(
    scale: PixelScale, pixels: Shaped[Array, "*shape channels"]
) -> Float[Array, "*shape channels"]:
    """Returns pixels with zero mean and unit variance in each channel: float32 [..., channels]."""
    mean, std = (jnp.expand_dims(leaf, range(pixels.ndim - 1)) for leaf in scale)
    return (pixels.astype(jnp.float32) - mean) / std


def nested_patches(images: Images, sides: tuple[int, ...]) -> Shaped[Array, "n ... channels"]:
    """Returns pixels in the order of nested patches, [n, ..., channels], of the type of `images`.

    The pixels of a patch are adjacent, so each layer on patches is a reshape and a matrix product,
    and pixels are moved once, as bytes.

    sides: of the patches of each layer; the first in pixels, all others in patches of the previous
           layer.

    Raises ValueError for images whose sides are not multiples of the largest patch.
    """
    count, height, width, channels = images.shape
    patch = math.prod(sides)
    if height % patch or width % patch:
        raise ValueError(
            f"images.shape[1:3] is {(height, width)}: allowed is multiples of {patch}, "
            f"for nested patches with sides {' x '.join(map(str, sides))}"
        )
    inner = sides[::-1]
    split = images.reshape(count, height // patch, *inner, width // patch, *inner, channels)
    levels = len(sides) + 1
    pairs = [axis for level in range(levels) for axis in (1 + level, 1 + levels + level)]
    return split.transpose(0, *pairs, split.ndim - 1)


class _Patches(nn.Module):
    widths: tuple[int, ...]
    head_widths: tuple[int, ...]
    outputs: int
    slope: float

    @nn.compact
    def __call__(self, pixels, train):
        del train
        hidden, channels = pixels, pixels.shape[-1]
        for layer, width in enumerate(self.widths):
            patch_values = channels * (PATCH if layer else FIRST_PATCH) ** 2
            hidden = nn.leaky_relu(nn.Dense(width)(hidden.reshape(-1, patch_values)), self.slope)
            channels = width
        hidden = hidden.reshape(len(pixels), -1)
        for width in self.head_widths:
            hidden = nn.leaky_relu(nn.Dense(width)(hidden), self.slope)
        return nn.Dense(self.outputs)(hidden)


class _ResNet18(nn.Module):
    outputs: int
    normalization: str

    @nn.compact
    def __call__(self, images, train):
        normalize = partial(normalization_layer, self.normalization, GROUPS, train)
        feature_map = nn.relu(normalize()(_convolution(STAGES[0], 7, 2)(images)))
        feature_map = nn.max_pool(feature_map, (3, 3), (2, 2), ((1, 1), (1, 1)))
        for stage, channels in enumerate(STAGES):
            feature_map = _Block(channels, 2 if stage else 1, normalize)(feature_map)
            feature_map = _Block(channels, 1, normalize)(feature_map)
        hidden = nn.leaky_relu(nn.Dense(RESNET_OUTPUTS)(feature_map.mean((1, 2))))
        return nn.Dense(self.outputs)(hidden)


class _Block(nn.Module):
    """Two convolutions and a shortcut, which is a 1 x 1 convolution where shapes differ."""

    channels: int
    stride: int
    normalize: partial

    @nn.compact
    def __call__(self, inputs):
        feature_map = self.normalize()(_convolution(self.channels, 3, self.stride)(inputs))
        feature_map = self.normalize()(_convolution(self.channels, 3, 1)(nn.relu(feature_map)))
        if inputs.shape != feature_map.shape:
            inputs = self.normalize()(_convolution(self.channels, 1, self.stride)(inputs))
        return nn.relu(feature_map + inputs)


def _convolution(channels, side, stride):
    """Returns a convolution without bias, padded to keep sides at stride 1; init of He et al."""
    he = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
    padding = ((side // 2, side // 2),) * 2
    return nn.Conv(
        channels, (side, side), (stride, stride), padding, use_bias=False, kernel_init=he
    )
