"""Training: one contrastive training run as pure functions.

`init` returns the state, `step` updates it with one batch, `train` scans over steps and samples
their batches. Apply `vmap` and `jit` from outside.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float, Int, Key, Shaped

from mmcl.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS
from mmcl.modalities import Modalities
from mmcl.objectives.alignment_entropy import alignment_max_whitened_entropy, whitening_matrix
from mmcl.objectives.registry import OBJECTIVES
from mmcl.objectives.similarities import SIMILARITIES
from mmcl.optimizers.registry import make_optimizer
from mmcl.output_spaces import OUTPUT_SPACES
from mmcl.precision import with_precision
from mmcl.recipe import Hyperparameters, Recipe


@runtime_checkable
class Observations(Protocol):
    """A batch of pairs: images x [n, ...] and texts t [n, ...] of any type, matched by row."""

    @property
    def x(self) -> Shaped[Array, "n ..."]:
        """Images."""
        ...

    @property
    def t(self) -> Shaped[Array, "n ..."]:
        """Texts."""
        ...


Sampler = Callable[[Key[Array, ""], int], Observations]  # (key, number of pairs) -> pairs


class TrainState(NamedTuple):
    """State of a training run, from which it can be resumed.

    params:    parameters of both encoders.
    stats:     arrays of both encoders that gradients do not train, such as the whitening or the
               running statistics of batch normalisation.
    opt_state: of the optimiser.
    failed_at: int32 [], the step at which the run diverged, that is, its loss or gradient was not
               finite; the state does not change after it. -1 if the run has not diverged.
    """

    params: Modalities
    stats: Modalities
    opt_state: Any
    failed_at: Int[Array, ""]


class Metrics(NamedTuple):
    """Metrics of one training step; float32 [] each, NaN once the run has diverged.

    loss:      the objective, in its units (nats for most).
    grad_norm: global norm of the gradient before clipping.
    """

    loss: Float[Array, ""]
    grad_norm: Float[Array, ""]


def make_encoders(recipe: Recipe) -> Modalities:
    """Returns the encoders of images and of texts: Modalities of Encoder."""
    return Modalities(
        x=IMAGE_ENCODERS[recipe.image_encoder](recipe, recipe.widths),
        t=TEXT_ENCODERS[recipe.text_encoder](recipe, recipe.text_widths or recipe.widths),
    )


@jax.default_matmul_precision("float32")
def init(
    key: Key[Array, ""], batch: Observations, *, recipe: Recipe, hyper: Hyperparameters
) -> TrainState:
    """Returns the state before the first step.

    batch: the first batch; the whitening or the scale of observations is fitted on it.

    Raises ValueError for images whose sides do not fit the encoder "patches".
    """
    key_x, key_t = jax.random.split(key)
    encoders = make_encoders(recipe)
    params_x, stats_x = encoders.x.init(key_x, batch.x)
    params_t, stats_t = encoders.t.init(key_t, batch.t)
    params = Modalities(params_x, params_t)
    opt_state = make_optimizer(recipe.optimizer, hyper.schedule, hyper.clip_norm).init(params)
    return TrainState(params, Modalities(stats_x, stats_t), opt_state, jnp.int32(-1))


@jax.default_matmul_precision("float32")
def encode(
    params: Modalities,
    stats: Modalities,
    observations: Observations,
    *,
    recipe: Recipe,
    hyper: Hyperparameters,
) -> Modalities:
    """Returns the representations of images and texts: Modalities of float32 [n, outputs].

    Columns outside `hyper.dimensions` are 0, so they do not contribute to distances or inner
    products.
    """
    encoders = make_encoders(recipe)
    z_x = encoders.x.apply(params.x, stats.x, observations.x)
    z_t = encoders.t.apply(params.t, stats.t, observations.t)
    return _in_space(recipe, hyper, z_x, z_t)


@jax.default_matmul_precision("float32")
def step(
    state: TrainState,
    batch: Observations,
    *,
    recipe: Recipe,
    hyper: Hyperparameters,
    done: Int[Array, ""] | int,
) -> tuple[TrainState, Metrics]:
    """Returns the state after one step on one batch, and the metrics of the step.

    If the loss or its gradient is not finite, the run has diverged, and its state does not change
    any more.

    batch: if the negatives come from a second batch, it is the second half of this one.
    done:  int32 [], the number of steps before this one. It should not be batched under vmap, so
           that the periodic work of the optimiser stays conditional.
    """
    representations = lambda params: _encode_training(recipe, hyper, state, params, batch)
    precise = partial(with_precision, recipe.precision)
    forward = precise(partial(jax.vjp, representations, has_aux=True))
    z, pull_back, stats = forward(state.params)
    loss, grad_z = _loss_and_gradient(recipe, hyper, z, done)
    (grads,) = precise(pull_back)(grad_z)
    optimizer = make_optimizer(recipe.optimizer, hyper.schedule, hyper.clip_norm)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params, step=done)
    params = optax.apply_updates(state.params, updates)
    metrics = Metrics(loss, optax.tree.norm(grads))
    finite = (state.failed_at < 0) & jnp.isfinite(loss) & jnp.isfinite(metrics.grad_norm)
    updated = state._replace(params=params, stats=stats, opt_state=opt_state)
    diverged = state._replace(failed_at=jnp.where(state.failed_at < 0, done, state.failed_at))
    state = jax.tree.map(partial(jnp.where, finite), updated, diverged)
    return state, jax.tree.map(lambda metric: jnp.where(finite, metric, jnp.nan), metrics)


def train(
    key: Key[Array, ""],
    state: TrainState,
    sample: Sampler,
    *,
    recipe: Recipe,
    hyper: Hyperparameters,
    steps: int,
    done: Int[Array, ""] | int = 0,
) -> tuple[TrainState, Metrics]:
    """Returns the state after `steps` more steps, and the metrics of each: float32 [steps].

    Step k, counted from the start of the run, samples its batch with fold_in(key, k), so a run in
    parts equals an unbroken one.

    key:    of all batches of the run; must have no other use.
    sample: (key, number of pairs) -> pairs.
    done:   int32 [], the number of steps before these.
    """
    count = recipe.batch * (2 if recipe.negatives == "second_batch" else 1)

    def body(state, done):
        batch = sample(jax.random.fold_in(key, done), count)
        return step(state, batch, recipe=recipe, hyper=hyper, done=done)

    return jax.lax.scan(body, state, done + jnp.arange(steps))


def _encode_training(
    recipe: Recipe, hyper: Hyperparameters, state: TrainState, params: Modalities, batch
) -> tuple[Modalities, Modalities]:
    """Returns the representations of a training batch and the updated stats."""
    stats = state.stats
    encoders = make_encoders(recipe)
    z_x, stats_x = encoders.x.train(params.x, stats.x, batch.x)
    z_t, stats_t = encoders.t.train(params.t, stats.t, batch.t)
    return _in_space(recipe, hyper, z_x, z_t), Modalities(stats_x, stats_t)


def _in_space(recipe: Recipe, hyper: Hyperparameters, x, t) -> Modalities:
    space = OUTPUT_SPACES[recipe.output_space]
    all_columns = jnp.ones(recipe.outputs, bool)
    dimensions = all_columns if hyper.dimensions is None else hyper.dimensions
    return Modalities(space(x, dimensions), space(t, dimensions))


def _loss_and_gradient(
    recipe: Recipe, hyper: Hyperparameters, z: Modalities, done: Int[Array, ""] | int
) -> tuple[Float[Array, ""], Modalities]:
    """Returns the objective after `done` steps, and its gradient by the representations z."""
    base = partial(_base_objective, recipe, hyper)
    if recipe.refine_from is None:
        return jax.value_and_grad(base)(z)

    def refined(z):
        options = {"whitening": whitening_matrix(z), "norm_penalty": recipe.norm_penalty}
        whitened = partial(alignment_max_whitened_entropy, **options)
        return (base(z) + jax.vmap(whitened)(_in_groups(recipe, z)).mean()) / 2

    # gradients inside the branches: the gradient of a cond stores the residuals of both branches
    branches = jax.value_and_grad(base), jax.value_and_grad(refined)
    return jax.lax.cond(done < recipe.refine_from, *branches, z)


def _base_objective(recipe: Recipe, hyper: Hyperparameters, z: Modalities) -> Float[Array, ""]:
    """The objective without refinement, mean over groups of pairs: float32 []."""
    objective = OBJECTIVES[recipe.objective]

    def of_group(pairs, negatives):
        available = {"similarity": SIMILARITIES[recipe.similarity], "negatives": negatives}
        options = {name: available[name] for name in objective.options}
        return objective.function(pairs, hyper.temperature, **options)

    groups = _in_groups(recipe, z)
    if recipe.negatives == "in_batch":
        return jax.vmap(partial(of_group, negatives=None))(groups).mean()
    pairs, negatives = zip(*(jnp.split(leaf, 2) for leaf in groups), strict=True)
    return jax.vmap(of_group)(Modalities(*pairs), Modalities(*negatives)).mean()


def _in_groups(recipe: Recipe, z: Modalities) -> Modalities:
    """Returns representations by groups of mutual negatives: float32 [groups, group, outputs]."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, recipe.group, recipe.outputs), z)
