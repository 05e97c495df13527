"""MLP: the encoder of vectors, with whitened inputs."""

import math
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from mmcl.encoders.encoder import Encoder
from mmcl.precision import on_cpu

CPU_BLOCK = 3 * 2**18  # values of the widest layer computed at once, so that they fit in caches


class Whitening(NamedTuple):
    """An affine map to zero mean and unit covariance: (x - mean) @ matrix.

    mean:   float32 [p].
    matrix: float32 [p, p].
    """

    mean: Float[Array, " p"]
    matrix: Float[Array, "p p"]


def mlp(widths: tuple[int, ...], outputs: int, slope: float, whiten: bool) -> Encoder:
    """Returns an MLP encoder of observations float32 [n, p], with leaky ReLUs and linear outputs.

    widths:  of the hidden layers.
    outputs: number of columns of a representation.
    slope:   of the leaky ReLUs at negative inputs.
    whiten:  whether observations are whitened; the whitening is fitted on the batch given to init.
    """
    network = _MLP(widths, outputs, slope)

    def init(key, observations):
        observations = observations.astype(jnp.float32)  # float64 where JAX_ENABLE_X64 is set
        stats = fit_whitening(observations) if whiten else ()
        return network.init(key, observations)["params"], stats

    def apply(params, stats, observations):
        observations = observations.astype(jnp.float32)
        inputs = apply_whitening(stats, observations) if whiten else observations
        return _apply_in_blocks(network, {"params": params}, inputs, max((*widths, outputs)))

    def train(params, stats, observations):
        return apply(params, stats, observations), stats

    return Encoder(init, apply, train)


def fit_whitening(observations: Float[Array, "n p"], floor: float = 1e-4) -> Whitening:
    """Returns the whitening along principal axes.

    floor: variances below this fraction of the largest one are raised to it.
    """
    mean = observations.mean(0)
    centred = observations - mean[None]
    cov = jnp.matmul(centred.T, centred, precision="highest") / len(observations)
    variances, axes = jnp.linalg.eigh(cov)
    variances = jnp.maximum(variances, floor * variances[-1])
    return Whitening(mean, axes / jnp.sqrt(variances)[None])


def apply_whitening(whitening: Whitening, observations: Float[Array, "n p"]) -> Float[Array, "n p"]:
    """Returns whitened observations: float32 [n, p]."""
    centred = observations - whitening.mean[None]
    return jnp.matmul(centred, whitening.matrix, precision="float32")


def _apply_in_blocks(network: nn.Module, variables, inputs: Array, width: int) -> Array:
    """Returns the outputs of a network of independent rows; on a CPU in blocks of rows."""
    blocks = math.ceil(len(inputs) * width / CPU_BLOCK)
    if not on_cpu() or blocks <= 1:
        return network.apply(variables, inputs)
    return _apply_to_rows(network, math.ceil(len(inputs) / blocks), variables, inputs)


# inlined where a caller compiles; outside of jit the function below would compile at every call
@partial(jax.jit, static_argnums=(0, 1), inline=True)
def _apply_to_rows(network: nn.Module, rows: int, variables, inputs: Array) -> Array:
    padded = jnp.pad(inputs, ((0, -len(inputs) % rows), (0, 0)))
    blocks = padded.reshape(-1, rows, inputs.shape[1])
    outputs = jax.lax.map(partial(network.apply, variables), blocks)
    return outputs.reshape(len(padded), -1)[: len(inputs)]


class _MLP(nn.Module):
    """An MLP of rows; it multiplies columns, which is faster on a CPU."""

    widths: tuple[int, ...]
    outputs: int
    slope: float

    @nn.compact
    def __call__(self, inputs):
        columns = inputs.T
        for number, width in enumerate(self.widths):
            columns = _Layer(width, name=f"Dense_{number}")(columns)
            columns = nn.leaky_relu(columns, self.slope)
        return _Layer(self.outputs, name=f"Dense_{len(self.widths)}")(columns).T


class _Layer(nn.Module):
    """`nn.Dense` for columns, with the same parameters."""

    features: int

    @nn.compact
    def __call__(self, columns):
        shape = (len(columns), self.features)
        kernel = self.param("kernel", nn.initializers.lecun_normal(), shape, jnp.float32)
        bias = self.param("bias", nn.initializers.zeros, (self.features,), jnp.float32)
        return kernel.T @ columns + bias[:, None]
