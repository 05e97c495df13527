"""Regression probes: fit on some rows, predict others. One signature for all:

(key, features [n, d], targets [n, k], queries [m, d]) -> predictions [m, k], all float32.
Features are standardised on the fitted rows; a constant column (a masked dimension) becomes 0.
Every target has a fit of its own, so a score does not depend on what else is probed.
"""

from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Key

Probe = Callable[
    [Key[Array, ""], Float[Array, "n d"], Float[Array, "n k"], Float[Array, "m d"]],
    Float[Array, "m k"],
]

PENALTY = 1e-4  # of ridge regression, in units of a standardised feature's variance
WIDTHS = (32, 32)
STEPS = 400
BATCH = 512
LEARNING_RATE = 1e-2


@jax.default_matmul_precision("float32")
def ridge(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
) -> Float[Array, "m k"]:
    """Linear regression in closed form, with a penalty that only an ill-posed fit feels."""
    del key
    features, queries = _standardize(features, queries)
    mean = targets.mean(0)[None]
    gram = features.T @ features / len(features) + PENALTY * jnp.eye(features.shape[1])
    cross = features.T @ (targets - mean) / len(features)
    return mean + queries @ jax.scipy.linalg.solve(gram, cross, assume_a="pos")


@jax.default_matmul_precision("float32")
def mlp(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
) -> Float[Array, "m k"]:
    """A small MLP per target, trained with Adam on what ridge regression leaves unexplained."""
    linear = ridge(key, features, targets, jnp.concatenate([features, queries]))
    residuals = targets - linear[: len(features)]
    features, queries = _standardize(features, queries)
    scale = jnp.maximum(targets.std(0), 1e-12)[None]

    fit = jax.vmap(_fit_mlp, in_axes=(0, None, 1, None), out_axes=1)
    keys = jax.random.split(key, targets.shape[1])
    return linear[len(features) :] + scale * fit(keys, features, residuals / scale, queries)


PROBES: dict[str, Probe] = {"linear": ridge, "mlp": mlp}


def _standardize(features, queries):
    mean, std = features.mean(0)[None], features.std(0)[None]
    scale = jnp.where(std > 1e-6 * jnp.maximum(std.max(), 1e-12), std, jnp.inf)
    return (features - mean) / scale, (queries - mean) / scale


class _MLP(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        for width in WIDTHS:
            inputs = nn.relu(nn.Dense(width)(inputs))
        return nn.Dense(1, kernel_init=nn.initializers.zeros)(inputs)[:, 0]


def _fit_mlp(key, features, target, queries):
    network = _MLP()
    key_init, key_data = jax.random.split(key)
    params = network.init(key_init, features[:1])
    optimizer = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, STEPS))

    def step(carry, key):
        params, opt_state = carry
        rows = jax.random.randint(key, (BATCH,), 0, len(features))

        def loss_of(params):
            return jnp.mean((network.apply(params, features[rows]) - target[rows]) ** 2)

        updates, opt_state = optimizer.update(jax.grad(loss_of)(params), opt_state)
        return (optax.apply_updates(params, updates), opt_state), None

    carry = (params, optimizer.init(params))
    (params, _), _ = jax.lax.scan(step, carry, jax.random.split(key_data, STEPS))
    return network.apply(params, queries)
