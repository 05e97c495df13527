"""Networks: the small MLP of nonlinear probes."""

import math
from collections.abc import Callable
from typing import cast

import flax.linen as nn
import jax
import optax
from jaxtyping import Array, Float, Key, Shaped

from probes.arguments import check_at_least

WIDTHS = (32, 32)
STEPS = 400
BATCH = 512
LEARNING_RATE = 1e-2


def fit_network(
    key: Key[Array, ""],
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
    network = _MLP(outputs)
    predict = lambda params, rows: cast(Array, network.apply(params, rows))
    key_init, key_data = jax.random.split(key)
    params = network.init(key_init, features[:1])
    optimizer = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, steps))

    def step(carry, key):
        params, opt_state = carry
        rows = jax.random.randint(key, (BATCH,), 0, len(features))

        def loss_of(params):
            return loss(predict(params, features[rows]), target[rows]).mean()

        updates, opt_state = optimizer.update(jax.grad(loss_of)(params), opt_state)
        return (optax.apply_updates(params, updates), opt_state), None

    carry = (params, optimizer.init(params))
    (params, _), _ = jax.lax.scan(step, carry, jax.random.split(key_data, steps))
    return predict(params, queries)


class _MLP(nn.Module):
    outputs: tuple[int, ...]

    @nn.compact
    def __call__(self, inputs):
        for width in WIDTHS:
            inputs = nn.relu(nn.Dense(width)(inputs))
        outputs = nn.Dense(math.prod(self.outputs), kernel_init=nn.initializers.zeros)(inputs)
        return outputs.reshape(len(inputs), *self.outputs)
