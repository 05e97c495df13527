"""Networks: the small MLP of nonlinear probes."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key, Shaped

from probes.arguments import check_at_least

WIDTHS = (32, 32)
STEPS = 400
BATCH = 512
LEARNING_RATE = 1e-2


class NetworkKeys(NamedTuple):
    """The keys of a fit.

    init:    of the first weights.
    batches: of the rows of each step; fits of several targets are faster with the same rows.
    """

    init: Key[Array, ""]
    batches: Key[Array, ""]


class Layer(NamedTuple):
    """Parameters of a layer: float32 [inputs, outputs] and [outputs]."""

    kernel: Float[Array, "inputs outputs"]
    bias: Float[Array, " outputs"]


def fit_network(
    keys: NetworkKeys,
    loss: Callable[[Array, Array], Array],
    features: Float[Array, "n d"],
    target: Shaped[Array, " n"],
    *,
    queries: Float[Array, "m d"],
    steps: int,
    outputs: tuple[int, ...] = (),
) -> Float[Array, "m ..."]:
    """Returns the predictions of an MLP for the queries, after training it with Adam.

    It minimises the mean of loss(predictions, target). Predictions are 0 before training, so they
    stay close to 0 for a target that cannot be learnt.

    loss:    (predictions [b, ...], target [b]) -> losses [b].
    outputs: shape of one prediction.

    Raises ValueError for fewer than one step.
    """
    check_at_least(1, steps=steps)
    layers = _init(keys.init, (features.shape[1], *WIDTHS, math.prod(outputs)))
    predict = lambda layers, rows: _apply(layers, rows).reshape(len(rows), *outputs)
    optimizer = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, steps))

    def step(carry, key):
        layers, opt_state = carry
        rows = jax.random.randint(key, (BATCH,), 0, len(features))

        def loss_of(layers):
            return loss(predict(layers, features[rows]), target[rows]).mean()

        updates, opt_state = optimizer.update(jax.grad(loss_of)(layers), opt_state)
        return (optax.apply_updates(layers, updates), opt_state), None

    carry = (layers, optimizer.init(layers))
    (layers, _), _ = jax.lax.scan(step, carry, jax.random.split(keys.batches, steps))
    return predict(layers, queries)


def _init(key, sizes: tuple[int, ...]) -> list[Layer]:
    """Layers between these sizes; the last one has weights of 0."""
    *hidden, last = pairwise(sizes)
    keys = jax.random.split(key, len(hidden))
    random = jax.nn.initializers.lecun_normal()
    kernels = [random(*each, jnp.float32) for each in zip(keys, hidden, strict=True)]
    kernels.append(jnp.zeros(last, jnp.float32))
    return [Layer(kernel, jnp.zeros(kernel.shape[1], jnp.float32)) for kernel in kernels]


def _apply(layers: list[Layer], rows: Float[Array, "n d"]) -> Float[Array, "n outputs"]:
    columns = rows.T  # on a CPU, products with columns are the faster ones
    for layer in layers[:-1]:
        columns = jax.nn.relu(layer.kernel.T @ columns + layer.bias[:, None])
    return (layers[-1].kernel.T @ columns + layers[-1].bias[:, None]).T
