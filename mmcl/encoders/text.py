"""Text: encoders of captions, token ids int32 [n, length] with 0 for no word.

Words are one-hot vectors times a matrix: the gradient of a lookup is a scatter, slow on a CPU.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mmcl.encoders.encoder import Encoder, network_encoder, normalization_layer

EMBEDDING = 32  # columns of a word, for `tokens`
SHEET = 128  # the same for `text_cnn`, as in the paper
SMALLEST = 4  # side of its sheets that is still convolved
FIRST_CHANNELS, MOST_CHANNELS = 25, 200  # of its layers: doubled from layer to layer
GROUPS = 5  # of group normalisation


def tokens(vocabulary: int, widths: tuple[int, ...], outputs: int, slope: float) -> Encoder:
    """Words linearly embedded, side by side in their places, then a leaky ReLU MLP.

    vocabulary: number of token ids; an id outside counts as no word.
    """
    prepare = lambda _, ids: one_hots(ids, vocabulary)
    return network_encoder(_Tokens(widths, outputs, slope), _nothing, prepare)


def text_cnn(vocabulary: int, outputs: int, normalization: str) -> Encoder:
    """The paper's: convolutions of the sheet [length, 128] of embedded words, then a linear layer.

    Convolutions of 4 x 4, stride 2, padding 1 (Daunhawer et al., arXiv 2303.09166), normalised by
    "batch" or "group", with ReLU, while both sides are 4 or more. Texts shorter than that get
    places without a word at their end.
    """

    def prepare(_, ids):
        short = max(SMALLEST - ids.shape[1], 0)
        return one_hots(jnp.pad(ids, ((0, 0), (0, short))), vocabulary)

    return network_encoder(_TextCNN(outputs, normalization), _nothing, prepare)


def one_hots(ids: Int[Array, "n length"], vocabulary: int) -> Float[Array, "n length words"]:
    """A one at each word's place; no word is all zeros: float32 [n, length, vocabulary - 1]."""
    return jax.nn.one_hot(ids - 1, vocabulary - 1, dtype=jnp.float32)


def _nothing(_):
    return ()


class _Tokens(nn.Module):
    widths: tuple[int, ...]
    outputs: int
    slope: float

    @nn.compact
    def __call__(self, words, train):
        del train
        embedded = nn.Dense(EMBEDDING, use_bias=False)(words)
        hidden = embedded.reshape(len(words), -1)
        for width in self.widths:
            hidden = nn.leaky_relu(nn.Dense(width)(hidden), self.slope)
        return nn.Dense(self.outputs)(hidden)


class _TextCNN(nn.Module):
    outputs: int
    normalization: str

    @nn.compact
    def __call__(self, words, train):
        normalize = partial(normalization_layer, self.normalization, GROUPS, train)
        sheet = nn.Dense(SHEET)(words)[..., None]
        channels = FIRST_CHANNELS
        while min(sheet.shape[1:3]) >= SMALLEST:
            # no bias: normalisation takes it out, and Adam would walk it at random
            convolution = nn.Conv(channels, (4, 4), (2, 2), ((1, 1), (1, 1)), use_bias=False)
            sheet = nn.relu(normalize()(convolution(sheet)))
            channels = min(2 * channels, MOST_CHANNELS)
        return nn.Dense(self.outputs)(sheet.reshape(len(words), -1))
