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
from jaxtyping import Array, Bool, Float, Int, Key, Shaped

from mmcl.checks import (
    check_batch,
    check_hyperparameters,
    check_observations,
    check_pairs,
    require,
)
from mmcl.encoders.registry import IMAGE_ENCODERS, TEXT_ENCODERS, make_encoder
from mmcl.modalities import Modalities
from mmcl.numbers import check_not_negative
from mmcl.objectives.alignment_entropy import alignment_max_whitened_entropy, whitening_matrix
from mmcl.objectives.registry import objective_name, objective_of
from mmcl.objectives.similarities import SIMILARITIES
from mmcl.optimizers.registry import make_optimizer
from mmcl.optimizers.schedule import learning_rate
from mmcl.optimizers.weight_decay import apply_updates
from mmcl.output_spaces import in_space
from mmcl.part_checks import check_array
from mmcl.precision import with_precision
from mmcl.recipe import WEIGHTS, Hyperparameters, Recipe, is_integer


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


class ParamsWithObjective(NamedTuple):
    """Trained parameters of a run whose objective has parameters, such as "siglip_learned".

    x:         of the encoder of images.
    t:         of the encoder of texts.
    objective: of the objective.
    """

    x: Any
    t: Any
    objective: Any


Params = Modalities | ParamsWithObjective


class TrainState(NamedTuple):
    """State of a training run, from which it can be resumed.

    params:    parameters of both encoders, and those of the objective if it has some.
    stats:     arrays of both encoders that gradients do not train, such as the whitening or the
               running statistics of batch normalisation.
    opt_state: of the optimiser.
    failed_at: int32 [], the step at which the run diverged, that is, its loss or gradient was not
               finite; the state does not change after it. -1 if the run has not diverged.
    """

    params: Params
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
    text_widths = recipe.text_widths or recipe.widths
    return Modalities(
        x=make_encoder(recipe.image_encoder, recipe, recipe.widths, IMAGE_ENCODERS),
        t=make_encoder(recipe.text_encoder, recipe, text_widths, TEXT_ENCODERS),
    )


def init(
    key: Key[Array, ""], batch: Observations, *, recipe: Recipe, hyper: Hyperparameters
) -> TrainState:
    """Returns the state before the first step.

    batch: the first batch; the whitening or the scale of observations is fitted on it.

    Raises ValueError for observations that the encoders of `recipe` do not take, different numbers
    of images and texts, images whose sides do not fit the encoder "patches", and hyperparameters
    out of range.
    """
    check_pairs(recipe, "batch", batch)
    check_hyperparameters(recipe, hyper)
    return _init(key, Modalities(batch.x, batch.t), hyper, recipe=recipe)


# inlined where a caller compiles, so that this jit is only for calls outside of one
@partial(jax.jit, static_argnames="recipe", inline=True)
@jax.default_matmul_precision("float32")
def _init(key, batch: Modalities, hyper: Hyperparameters, *, recipe: Recipe) -> TrainState:
    hyper = _float32(hyper)
    key_x, key_t = jax.random.split(key)
    encoders = make_encoders(recipe)
    params_x, stats_x = encoders.x.init(key_x, batch.x)
    params_t, stats_t = encoders.t.init(key_t, batch.t)
    params: Params = Modalities(params_x, params_t)
    init_params = objective_of(recipe.objective).init_params
    if init_params is not None:
        params = ParamsWithObjective(*params, init_params(hyper.temperature))
    opt_state = make_optimizer(recipe.optimizer, hyper.schedule, hyper.clip_norm).init(params)
    return TrainState(params, Modalities(stats_x, stats_t), opt_state, jnp.int32(-1))


def encode(
    params: Params,
    stats: Modalities,
    observations: Observations,
    *,
    recipe: Recipe,
    hyper: Hyperparameters,
) -> Modalities:
    """Returns the representations of images and texts: Modalities of float32 [n, outputs].

    Columns outside `hyper.dimensions` are 0; they do not contribute to distances or inner products.

    observations: images and texts need not be matched, and their numbers may differ. One of them
                  may be None; then its representations are None.

    Raises ValueError for observations that the encoders of `recipe` do not take, and for
    hyperparameters out of range.
    """
    check_observations(recipe, "observations", observations, allow_none=True)
    check_hyperparameters(recipe, hyper)
    both = Modalities(observations.x, observations.t)
    return _encode(params, stats, both, hyper, recipe=recipe)


@partial(jax.jit, static_argnames="recipe", inline=True)
@jax.default_matmul_precision("float32")
def _encode(
    params: Params,
    stats: Modalities,
    observations: Modalities,
    hyper: Hyperparameters,
    *,
    recipe: Recipe,
) -> Modalities:
    def representations(encoder, params, stats, rows):
        return None if rows is None else encoder.apply(params, stats, rows)

    encoders = make_encoders(recipe)
    z_x = representations(encoders.x, params.x, stats.x, observations.x)
    z_t = representations(encoders.t, params.t, stats.t, observations.t)
    return _in_space(recipe, hyper, Modalities(z_x, z_t))


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

    batch: its number of pairs is a multiple of `recipe.group`. If the negatives come from a second
           batch, it is the second half of this one.
    done:  int32 [], the number of steps before this one. It should not be batched under vmap, so
           that the periodic work of the optimiser stays conditional.

    Raises ValueError for observations that the encoders of `recipe` do not take, another number of
    pairs, and numbers out of range.
    """
    check_batch(recipe, batch)
    check_hyperparameters(recipe, hyper)
    check_not_negative("done", done)
    return _step(state, Modalities(batch.x, batch.t), hyper, done, recipe=recipe)


@partial(jax.jit, static_argnames="recipe", inline=True)
@jax.default_matmul_precision("float32")
def _step(
    state: TrainState, batch: Modalities, hyper: Hyperparameters, done, *, recipe: Recipe
) -> tuple[TrainState, Metrics]:
    hyper, done = _float32(hyper), jnp.asarray(done, jnp.int32)
    loss, grads, stats = _loss_and_gradients(recipe, hyper, state, batch, done=done)
    optimizer = make_optimizer(recipe.optimizer, hyper.schedule, hyper.clip_norm)
    updates, opt_state = optimizer.update(grads, state.opt_state, state.params, step=done)
    decay = learning_rate(hyper.schedule, done) * hyper.weight_decay
    params = apply_updates(state.params, updates, decay)
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

    A call outside of jit compiles every time, because `sample` may have changed: jit `train` with
    static `sample`, `recipe` and `steps`.

    Raises ValueError as `step` does, and for a negative number of steps.
    """
    require("steps", steps, is_integer(steps) and steps >= 0, "0 or more, an integer")
    check_not_negative("done", done)
    count = recipe.batch * (2 if recipe.negatives == "second_batch" else 1)

    def body(state, done):
        batch = sample(jax.random.fold_in(key, done), count)
        return step(state, batch, recipe=recipe, hyper=hyper, done=done)

    first = jnp.asarray(done, jnp.int32)
    return jax.lax.scan(body, state, first + jnp.arange(steps, dtype=jnp.int32))


def constant_loss(recipe: Recipe, hyper: Hyperparameters) -> Float[Array, ""]:
    """Returns the objective, without refinement, if all representations are equal: float32 [].

    A run whose loss does not fall below it has learned nothing. All representations are ones, which
    matters only where the similarity is "dot". Raises ValueError for hyperparameters out of range.
    """
    check_hyperparameters(recipe, hyper)
    hyper = _float32(hyper)
    pairs = recipe.group * (2 if recipe.negatives == "second_batch" else 1)
    rows = jnp.ones((pairs, recipe.outputs), jnp.float32)
    z = _in_space(recipe, hyper, Modalities(rows, rows))
    init_params = objective_of(recipe.objective).init_params
    params = None if init_params is None else init_params(hyper.temperature)
    return _base_objective(recipe, hyper, z, params)


def _float32(hyper: Hyperparameters) -> Hyperparameters:
    """Returns hyperparameters whose numbers are float32, also where JAX_ENABLE_X64 is set."""
    numbers = hyper._replace(dimensions=None)
    numbers = jax.tree.map(lambda number: jnp.asarray(number, jnp.float32), numbers)
    return numbers._replace(dimensions=hyper.dimensions)


def _loss_and_gradients(
    recipe: Recipe, hyper: Hyperparameters, state: TrainState, batch: Modalities, *, done
) -> tuple[Float[Array, ""], Params, Modalities]:
    """Returns the objective, its gradient by the parameters, and the updated stats."""
    representations = lambda params: _encode_training(recipe, hyper, state, params, batch)
    precise = partial(with_precision, recipe.precision)
    forward = precise(partial(jax.vjp, representations, has_aux=True))
    z, pull_back, stats = forward(Modalities(state.params.x, state.params.t))
    objective_params = getattr(state.params, "objective", None)
    loss, (grad_z, grad_objective) = _loss_and_gradient(
        recipe, hyper, z, objective_params, done=done
    )
    (grads,) = precise(pull_back)(grad_z)
    if objective_params is not None:
        grads = ParamsWithObjective(*grads, grad_objective)
    return loss, grads, stats


def _encode_training(
    recipe: Recipe, hyper: Hyperparameters, state: TrainState, params: Modalities, batch
) -> tuple[Modalities, Modalities]:
    """Returns the representations of a training batch and the updated stats."""
    stats = state.stats
    encoders = make_encoders(recipe)
    z_x, stats_x = encoders.x.train(params.x, stats.x, batch.x)
    z_t, stats_t = encoders.t.train(params.t, stats.t, batch.t)
    return _in_space(recipe, hyper, Modalities(z_x, z_t)), Modalities(stats_x, stats_t)


def _in_space(recipe: Recipe, hyper: Hyperparameters, z: Modalities) -> Modalities:
    """Returns representations of outputs z, in the output space."""
    dimensions = _dimensions(recipe, hyper)
    return jax.tree.map(lambda outputs: in_space(recipe.output_space, outputs, dimensions), z)


def _dimensions(recipe: Recipe, hyper: Hyperparameters) -> Bool[Array, " outputs"]:
    if hyper.dimensions is None:
        return jnp.ones(recipe.outputs, bool)
    return jnp.asarray(hyper.dimensions)


def _loss_and_gradient(
    recipe: Recipe, hyper: Hyperparameters, z: Modalities, params: Any, *, done: Int[Array, ""]
) -> tuple[Float[Array, ""], tuple[Modalities, Any]]:
    """Returns the objective after `done` steps, and its gradients by z and by `params`."""
    base = partial(_base_objective, recipe, hyper)
    if recipe.refine_from is None:
        return jax.value_and_grad(base, (0, 1))(z, params)

    def refined(z, params):
        options = {"whitening": whitening_matrix(z), "norm_penalty": recipe.norm_penalty}
        whitened = partial(alignment_max_whitened_entropy, **options)
        return (base(z, params) + jax.vmap(whitened)(_in_groups(recipe, z)).mean()) / 2

    # gradients inside the branches: the gradient of a cond stores the residuals of both branches
    branches = jax.value_and_grad(base, (0, 1)), jax.value_and_grad(refined, (0, 1))
    return jax.lax.cond(done < recipe.refine_from, *branches, z, params)


def _base_objective(
    recipe: Recipe, hyper: Hyperparameters, z: Modalities, params: Any
) -> Float[Array, ""]:
    """The objective without refinement, mean over groups of pairs: float32 []."""
    objective = objective_of(recipe.objective)
    options = {name: getattr(recipe, name) for name in WEIGHTS if name in objective.options}
    if "similarity" in objective.options:
        options["similarity"] = SIMILARITIES[recipe.similarity]
    if params is not None:
        options["params"] = params

    def of_group(pairs, **negatives):
        loss = objective.function(pairs, hyper.temperature, **options, **negatives)
        check_array(f"objective {objective_name(recipe.objective)!r}", loss, ())
        return loss

    groups = _in_groups(recipe, z)
    if recipe.negatives == "in_batch":
        return jax.vmap(of_group)(groups).mean()
    pairs, negatives = zip(*(jnp.split(leaf, 2) for leaf in groups), strict=True)
    return jax.vmap(of_group)(Modalities(*pairs), negatives=Modalities(*negatives)).mean()


def _in_groups(recipe: Recipe, z: Modalities) -> Modalities:
    """Returns representations by groups of mutual negatives: float32 [groups, group, outputs]."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, recipe.group, recipe.outputs), z)
