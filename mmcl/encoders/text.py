"""Text: encoders of captions, given as token ids int32 [n, length]; 0 means no word.

Words are embedded as one-hot vectors times a matrix, because the gradient of a lookup is a scatter,
which is slow on a CPU.
"""

from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from mmcl.encoders.encoder import Encoder, network_encoder, normalization_layer

TOKENS_EMBEDDING = 32  # embedding size of a word in `tokens`
CNN_EMBEDDING = 128  # embedding size of a word in `text_cnn`, as in the paper
CNN_MIN_SIDE = 4  # smallest side of a feature map that is convolved
CNN_FIRST_CHANNELS, CNN_MAX_CHANNELS = 25, 200  # channels double from layer to layer up to the max
GROUPS = 5  # of group normalisation


def tokens(vocabulary: int, widths: tuple[int, ...], outputs: int, slope: float) -> Encoder:
    """Returns an encoder that embeds words linearly and applies an MLP to all of them.

    The embeddings are concatenated in the order of the words.

    vocabulary: number of token ids; an id outside of it counts as no word.
    widths:     of the hidden layers of the MLP.
    outputs:    number of columns of a representation.
    slope:      of the leaky ReLUs at negative inputs.
    """
    prepare = lambda _, ids: one_hots(ids, vocabulary)
    return network_encoder(_Tokens(widths, outputs, slope), _fit_nothing, prepare)


def text_cnn(vocabulary: int, outputs: int, normalization: str) -> Encoder:
    """Returns the paper's text encoder: a CNN over the embedded words, then a linear layer.

    The embedded words form a feature map [length, 128]. Convolutions of 4 x 4, stride 2, padding 1
    (Daunhawer et al., arXiv 2303.09166), each with normalisation and ReLU, are applied while both
    sides are 4 or more. Shorter texts are padded to 4 words with no word.

    vocabulary:    number of token ids; an id outside of it counts as no word.
    outputs:       number of columns of a representation.
    normalization: "batch" or "group".
    """

    def prepare(_, ids):
        padding = max(CNN_MIN_SIDE - ids.shape[1], 0)
        return one_hots(jnp.pad(ids, ((0, 0), (0, padding))), vocabulary)

    return network_encoder(_TextCNN(outputs, normalization), _fit_nothing, prepare)


def one_hots(ids: Int[Array, "n length"], vocabulary: int) -> Float[Array, "n length words"]:
    """Returns one-hot words, zeros for no word: float32 [n, length, vocabulary - 1]."""
    return jax.nn.one_hot(ids - 1, vocabulary - 1, dtype=jnp.float32)


def _fit_nothing(_):
    return ()


class _Tokens(nn.Module):
    widths: tuple[int, ...]
    outputs: int
    slope: float

    @nn.compact
    def __call__(self, words, train):
        del train
        embedded = nn.Dense(TOKENS_EMBEDDING, use_bias=False)(words)
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
        feature_map = nn.Dense(CNN_EMBEDDING)(words)[..., None]
        channels = CNN_FIRST_CHANNELS
        while min(feature_map.shape[1:3]) >= CNN_MIN_SIDE:
            # no bias: normalisation removes it, and Adam would let it drift at random
            convolution = nn.Conv(channels, (4, 4), (2, 2), ((1, 1), (1, 1)), use_bias=False)
            feature_map = nn.relu(normalize()(convolution(feature_map)))
            channels = min(2 * channels, CNN_MAX_CHANNELS)
        return nn.Dense(self.outputs)(feature_map.reshape(len(words), -1))
