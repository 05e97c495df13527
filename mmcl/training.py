"""Training: one contrastive training run as pure functions.

`init` makes the state, `step` moves it by one batch, `train` scans over steps whose batches it
draws. Put `vmap` and `jit` around them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key

from mmcl.encoders import Encoder, Modalities, mlp
from mmcl.objectives import SIMILARITIES, alignment_max_entropy, symmetric_infonce
from mmcl.optimizers import make_optimizer
from mmcl.recipe import Hyperparameters, Recipe


@runtime_checkable
class Observations(Protocol):
    """A batch of pairs: images x [n, p] and texts t [n, q], row by row."""

    x: Float[Array, "n p"]
    t: Float[Array, "n q"]


Sampler = Callable[[Key[Array, ""], int], Observations]  # (key, number of pairs) -> pairs


class TrainState(NamedTuple):
    """Everything a run needs to go on.

    params: Modalities of encoder parameters; stats: of what no gradient moves (the whitening);
    opt_state: of the optimiser; step: int32 [], steps done.
    """

    params: Modalities
    stats: Modalities
    opt_state: Any
    step: Int[Array, ""]


class Metrics(NamedTuple):
    """What a step tells; float32 [].

    loss: the objective in nats; grad_norm: global norm of the gradient before clipping.
    """

    loss: Float[Array, ""]
    grad_norm: Float[Array, ""]


def make_encoder(recipe: Recipe) -> Encoder:
    """The encoder that a recipe describes; images and texts each get their own parameters."""
    return mlp(recipe.widths, recipe.outputs, recipe.slope, recipe.whiten)


@jax.default_matmul_precision("float32")
def init(
    key: Key[Array, ""], recipe: Recipe, hyper: Hyperparameters, first: Observations
) -> TrainState:
    """The state before the first step; `first` is a batch to whiten observations on."""
    key_x, key_t = jax.random.split(key)
    encoder = make_encoder(recipe)
    params_x, stats_x = encoder.init(key_x, first.x)
    params_t, stats_t = encoder.init(key_t, first.t)
    params = Modalities(params_x, params_t)
    opt_state = make_optimizer(recipe.optimizer, hyper.schedule, hyper.clip_norm).init(params)
    return TrainState(params, Modalities(stats_x, stats_t), opt_state, jnp.zeros((), jnp.int32))


@jax.default_matmul_precision("float32")
def encode(
    recipe: Recipe,
    hyper: Hyperparameters,
    params: Modalities,
    stats: Modalities,
    observations: Observations,
) -> Modalities:
    """Representations of images and texts: Modalities of float32 [n, outputs].

    Columns outside the dimension mask are 0: they add nothing to a distance or an inner product.
    """
    encoder = make_encoder(recipe)
    z_x = encoder.apply(params.x, stats.x, observations.x)
    z_t = encoder.apply(params.t, stats.t, observations.t)
    return Modalities(z_x * hyper.dimensions[None], z_t * hyper.dimensions[None])


@jax.default_matmul_precision("float32")
def step(
    recipe: Recipe, hyper: Hyperparameters, state: TrainState, batch: Observations
) -> tuple[TrainState, Metrics]:
    """One step on one batch; if negatives come from a second batch, that is its second half."""

    def loss_of(params):
        return _objective(recipe, hyper, encode(recipe, hyper, params, state.stats, batch))

    loss, grads = jax.value_and_grad(loss_of)(state.params)
    optimizer = make_optimizer(recipe.optimizer, hyper.schedule, hyper.clip_norm)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params)
    params = optax.apply_updates(state.params, updates)
    metrics = Metrics(loss, optax.tree.norm(grads))
    return TrainState(params, state.stats, opt_state, state.step + 1), metrics


def train(
    key: Key[Array, ""],
    recipe: Recipe,
    hyper: Hyperparameters,
    sample: Sampler,
    state: TrainState,
    steps: int,
) -> tuple[TrainState, Metrics]:
    """`steps` more steps; metrics gain a leading axis [steps].

    Step k draws its batch with fold_in(key, k), k counted from the run's start, so that a run in
    pieces equals an unbroken one.
    """
    count = recipe.batch * (2 if recipe.negatives == "second_batch" else 1)

    def body(state, _):
        batch = sample(jax.random.fold_in(key, state.step), count)
        return step(recipe, hyper, state, batch)

    return jax.lax.scan(body, state, None, length=steps)


def _objective(recipe: Recipe, hyper: Hyperparameters, z: Modalities) -> Float[Array, ""]:
    if recipe.objective == "symmetric_infonce":
        return symmetric_infonce(z, hyper.temperature, SIMILARITIES[recipe.similarity])
    if recipe.negatives == "in_batch":
        return alignment_max_entropy(z, hyper.temperature)
    pairs = Modalities(z.x[: recipe.batch], z.t[: recipe.batch])
    negatives = Modalities(z.x[recipe.batch :], z.t[recipe.batch :])
    return alignment_max_entropy(pairs, hyper.temperature, negatives)
