"""Training: one contrastive training run as pure functions of a key and a sampler.

`init` makes the state, `step` moves it by one batch, `train` scans over steps. Put `vmap` and
`jit` around them. What changes between runs without a new compilation is in `Hyperparameters`
(traced), what shapes the program is in `Recipe` (static).
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Int, Key

from mmcl import objectives
from mmcl.encoders import Encoder, Modalities, mlp
from mmcl.optimizers import OPTIMIZERS, Schedule, make_optimizer


class Observations(Protocol):
    """A batch of pairs: images x [n, p] and texts t [n, q], row by row."""

    x: Float[Array, "n p"]
    t: Float[Array, "n q"]


Sampler = Callable[[Key[Array, ""], int], Observations]  # (key, number of pairs) -> pairs


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What shapes the program: all static.

    widths:      of the encoders' hidden layers.
    slope:       of their leaky ReLU.
    whiten:      whether observations are whitened, on a first batch.
    outputs:     columns of a representation; lanes use fewer by their dimension mask.
    batch:       pairs in a step.
    objective:   "alignment_max_entropy" or "symmetric_infonce".
    similarity:  of InfoNCE: "negative_squared_distance", "cosine" or "dot".
    negatives:   of alignment_max_entropy: "in_batch" or "second_batch".
    optimizer:   "muon" or "adam".

    Raises ValueError for a size below 1, a batch below 2, or an unknown choice.
    """

    widths: tuple[int, ...]
    slope: float
    whiten: bool
    outputs: int
    batch: int
    objective: str
    similarity: str
    negatives: str
    optimizer: str

    def __post_init__(self):
        for field, least in (("outputs", 1), ("batch", 2)):
            if getattr(self, field) < least:
                raise ValueError(
                    f"recipe.{field} is {getattr(self, field)}: allowed is {least} or more"
                )
        if any(width < 1 for width in self.widths):
            raise ValueError(f"recipe.widths is {self.widths}: allowed are widths of 1 or more")
        for field, allowed in CHOICES.items():
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f"recipe.{field} is {getattr(self, field)!r}: allowed is one of "
                    + ", ".join(allowed)
                )


CHOICES = {
    "objective": ("alignment_max_entropy", "symmetric_infonce"),
    "similarity": tuple(objectives.SIMILARITIES),
    "negatives": ("in_batch", "second_batch"),
    "optimizer": tuple(OPTIMIZERS),
}


class Hyperparameters(NamedTuple):
    """What a lane sets without a new compilation: all traced.

    schedule:    of the learning rate.
    temperature: float32 [], of the objective.
    clip_norm:   float32 [], largest global norm of the gradient.
    dimensions:  bool [outputs], which columns of the representation take part.
    """

    schedule: Schedule
    temperature: Float[Array, ""]
    clip_norm: Float[Array, ""]
    dimensions: Bool[Array, " outputs"]


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
def step(
    key: Key[Array, ""],
    recipe: Recipe,
    hyper: Hyperparameters,
    sample: Sampler,
    state: TrainState,
) -> tuple[TrainState, Metrics]:
    """One step of training, on batches drawn with a key of this step's own."""

    def loss_of(params):
        return _loss(key, recipe, hyper, sample, params, state.stats)

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

    Step k draws its data with fold_in(key, k), k counted from the run's start, so that a run in
    pieces equals an unbroken one.
    """

    def body(state, _):
        return step(jax.random.fold_in(key, state.step), recipe, hyper, sample, state)

    return jax.lax.scan(body, state, None, length=steps)


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
    return Modalities(z_x * hyper.dimensions, z_t * hyper.dimensions)


def _loss(key, recipe, hyper, sample, params, stats):
    key_pairs, key_negatives = jax.random.split(key)

    def representations(key):
        return encode(recipe, hyper, params, stats, sample(key, recipe.batch))

    z = representations(key_pairs)
    if recipe.objective == "symmetric_infonce":
        similarity = objectives.SIMILARITIES[recipe.similarity]
        return objectives.symmetric_infonce(z, hyper.temperature, similarity)
    negatives = representations(key_negatives) if recipe.negatives == "second_batch" else None
    return objectives.alignment_max_entropy(z, hyper.temperature, negatives)
