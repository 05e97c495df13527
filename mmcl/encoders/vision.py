"""Vision: encoders of photographs, uint8 [n, height, width, channels]."""

import math
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax.numpy as jnp
from jaxtyping import Array, Float, Shaped

from mmcl.encoders.encoder import Encoder, network_encoder, normalization_layer

FIRST_PATCH, PATCH = 4, 2  # sides of a patch: in pixels, then in patches of the layer before
STAGES = (64, 128, 256, 512)  # channels of ResNet18's stages, of two blocks each
RESNET_OUTPUTS = 100  # before the last layer, as in the paper
GROUPS = 32  # of group normalisation

Images = Shaped[Array, "n height width channels"]


class PixelScale(NamedTuple):
    """Mean and standard deviation of every channel: float32 [channels] each."""

    mean: Float[Array, " channels"]
    std: Float[Array, " channels"]


def patches(
    widths: tuple[int, ...], head_widths: tuple[int, ...], outputs: int, slope: float
) -> Encoder:
    """Patches that do not overlap, a layer a width, then dense layers; the cheap encoder.

    A layer maps each patch, of 4 x 4 pixels at first, of 2 x 2 of the layer before from then on, to
    leaky ReLUs; the head sees all patches, through leaky ReLUs of its widths and a linear layer.
    Calls raise ValueError for images whose sides are no multiples of the last patch.
    """
    sides = tuple(PATCH if layer else FIRST_PATCH for layer in range(len(widths)))

    def prepare(scale, images):
        return standardise(scale, nested_patches(images, sides))

    return network_encoder(_Patches(widths, head_widths, outputs, slope), fit_pixels, prepare)


def resnet18(outputs: int, normalization: str) -> Encoder:
    """ResNet18 from scratch (He et al., arXiv 1512.03385), 100 leaky ReLUs, then a linear layer.

    normalization: "batch" or "group".
    """
    return network_encoder(_ResNet18(outputs, normalization), fit_pixels, standardise)


def fit_pixels(images: Images) -> PixelScale:
    """Mean and standard deviation of every channel; one that is constant has 1."""
    # mean by mean: a sum over millions of pixels would lose digits
    mean_of = lambda pixels: pixels.mean((1, 2)).mean(0)
    pixels = images.astype(jnp.float32)
    mean = mean_of(pixels)
    std = jnp.sqrt(mean_of((pixels - mean[None, None, None]) ** 2))
    return PixelScale(mean, jnp.where(std > 0, std, 1.0))


def standardise(
    scale: PixelScale, pixels: Shaped[Array, "*shape channels"]
) -> Float[Array, "*shape channels"]:
    """Pixels with zero mean and unit variance in every channel: float32 [..., channels]."""
    mean, std = (jnp.expand_dims(leaf, range(pixels.ndim - 1)) for leaf in scale)
    return (pixels.astype(jnp.float32) - mean) / std


def nested_patches(images: Images, sides: tuple[int, ...]) -> Shaped[Array, "n ... channels"]:
    """Pixels in the order of nested patches, [n, ..., channels]: those of a patch are neighbours.

    Patches of the first of `sides` in pixels, of the next in patches of the first, and so on; so
    every layer of patches is a reshape and a matrix product, and pixels are moved once, as bytes.
    Raises ValueError for images whose sides are no multiples of the largest patch.
    """
    count, height, width, channels = images.shape
    patch = math.prod(sides)
    if height % patch or width % patch:
        raise ValueError(
            f"images are {height} x {width}: allowed are sides that {patch} divides, for patches "
            f"of {' x '.join(map(str, sides))}"
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
        rows, values = pixels, pixels.shape[-1]
        for layer, width in enumerate(self.widths):
            values *= (PATCH if layer else FIRST_PATCH) ** 2
            rows = nn.leaky_relu(nn.Dense(width)(rows.reshape(-1, values)), self.slope)
            values = width
        hidden = rows.reshape(len(pixels), -1)
        for width in self.head_widths:
            hidden = nn.leaky_relu(nn.Dense(width)(hidden), self.slope)
        return nn.Dense(self.outputs)(hidden)


class _ResNet18(nn.Module):
    outputs: int
    normalization: str

    @nn.compact
    def __call__(self, images, train):
        normalize = partial(normalization_layer, self.normalization, GROUPS, train)
        sheet = nn.relu(normalize()(_convolution(STAGES[0], 7, 2)(images)))
        sheet = nn.max_pool(sheet, (3, 3), (2, 2), ((1, 1), (1, 1)))
        for stage, channels in enumerate(STAGES):
            sheet = _Block(channels, 2 if stage else 1, normalize)(sheet)
            sheet = _Block(channels, 1, normalize)(sheet)
        hidden = nn.leaky_relu(nn.Dense(RESNET_OUTPUTS)(sheet.mean((1, 2))))
        return nn.Dense(self.outputs)(hidden)


class _Block(nn.Module):
    """Two convolutions beside a shortcut, which is a 1 x 1 convolution where shapes change."""

    channels: int
    stride: int
    normalize: partial

    @nn.compact
    def __call__(self, inputs):
        sheet = self.normalize()(_convolution(self.channels, 3, self.stride)(inputs))
        sheet = self.normalize()(_convolution(self.channels, 3, 1)(nn.relu(sheet)))
        if inputs.shape != sheet.shape:
            inputs = self.normalize()(_convolution(self.channels, 1, self.stride)(inputs))
        return nn.relu(sheet + inputs)


def _convolution(channels, side, stride):
    """A convolution without bias that halves, or keeps, both sides, initialised as in He et al."""
    he = nn.initializers.variance_scaling(2.0, "fan_out", "normal")
    padding = ((side // 2, side // 2),) * 2
    return nn.Conv(
        channels, (side, side), (stride, stride), padding, use_bias=False, kernel_init=he
    )
