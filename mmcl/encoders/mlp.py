"""MLP: the encoder of vectors, on whitened observations."""

import math
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mmcl.encoders.encoder import Encoder

CPU_VALUES = 3 * 2**18  # of a hidden layer at once, so that layers stay in a CPU's caches


class Whitening(NamedTuple):
    """An affine map to zero mean and unit covariance: (x - mean) @ matrix.

    mean: float32 [p]; matrix: float32 [p, p].
    """

    mean: Float[Array, " p"]
    matrix: Float[Array, "p p"]


def mlp(widths: tuple[int, ...], outputs: int, slope: float, whiten: bool) -> Encoder:
    """A leaky ReLU MLP with linear outputs, on observations whitened on the batch given to init."""
    network = _MLP(widths, outputs, slope)

    def init(key, observations):
        stats = fit_whitening(observations) if whiten else ()
        return network.init(key, observations)["params"], stats

    def apply(params, stats, observations):
        inputs = apply_whitening(stats, observations) if whiten else observations
        of_rows = partial(network.apply, {"params": params})
        return _by_blocks_of_rows(of_rows, inputs, max((*widths, outputs)))

    def train(params, stats, observations):
        return apply(params, stats, observations), stats

    return Encoder(init, apply, train)


def fit_whitening(observations: Float[Array, "n p"], floor: float = 1e-4) -> Whitening:
    """Whitening along principal axes; variances under floor · the largest are lifted to that."""
    mean = observations.mean(0)
    centred = observations - mean[None]
    cov = jnp.matmul(centred.T, centred, precision="highest") / len(observations)
    variances, axes = jnp.linalg.eigh(cov)
    variances = jnp.maximum(variances, floor * variances[-1])
    return Whitening(mean, axes / jnp.sqrt(variances)[None])


def apply_whitening(whitening: Whitening, observations: Float[Array, "n p"]) -> Float[Array, "n p"]:
    """Whitened observations: float32 [n, p]."""
    centred = observations - whitening.mean[None]
    return jnp.matmul(centred, whitening.matrix, precision="float32")


def _by_blocks_of_rows(of_rows, inputs, width):
    """of_rows(inputs), where each row is its own affair; large layers of a CPU block by block."""
    blocks = math.ceil(len(inputs) * width / CPU_VALUES)
    if jax.default_backend() != "cpu" or blocks <= 1:
        return of_rows(inputs)
    of_row = lambda row: of_rows(row[None])[0]
    return jax.lax.map(of_row, inputs, batch_size=math.ceil(len(inputs) / blocks))


class _MLP(nn.Module):
    widths: tuple[int, ...]
    outputs: int
    slope: float

    @nn.compact
    def __call__(self, inputs):
        for width in self.widths:
            inputs = nn.leaky_relu(nn.Dense(width)(inputs), self.slope)
        return nn.Dense(self.outputs)(inputs)
