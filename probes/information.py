"""Information: lower bounds on the mutual information of a representation and a latent, in nats.

A critic compares the embeddings of both sides by two small networks and learns which rows are
matched. On test rows, its scores of matched and mismatched pairs bound the mutual information from
below. The bound holds in expectation: an estimate has the variance of its test rows. Mutual
information is invariant to any invertible map of either side; a bound is so if the critic can learn
the map. By chance a bound is 0, or slightly below if the critic has learnt noise.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Key

from probes.arguments import check_at_least, check_floats, check_splits
from probes.identifiability import Split
from probes.predictors.networks import LEARNING_RATE, WIDTHS
from probes.predictors.regression import standardize

EMBEDDING = 32  # size of the embeddings that the critic compares
STEPS = 600  # training steps of the critic
BATCH = 256  # rows whose pairs are scored together
# Nats: a bound closer to its ceiling, or to log `BATCH`, is flagged as saturated. For Gaussian
# variables a bound that is not flagged is too low by 0.26 nats at most, a flagged one by up to 2.
MARGIN = 2.5

Scores = Float[Array, "b b"]  # of the critic; matched pairs are on the diagonal


class Information(NamedTuple):
    """A lower bound on mutual information.

    nats:      float32 [], the bound.
    ceiling:   float32 [], the largest value that the bound can show.
    saturated: bool [], whether the bound is within `MARGIN` of its ceiling, or of the logarithm of
               the `BATCH` rows that the critic compares in training; then the mutual information
               can be much larger.
    """

    nats: Float[Array, ""]
    ceiling: Float[Array, ""]
    saturated: Bool[Array, ""]


@jax.jit
def infonce(key: Key[Array, ""], a: Split, b: Split) -> Information:
    """Returns the InfoNCE bound (van den Oord et al. 2018) for a [n, d] and b [n, e].

    It has low variance, but it cannot exceed the logarithm of the `BATCH` rows scored together.

    Raises ValueError for fewer than 2 test rows.
    """
    scores = _critic_scores(key, lambda scores: -_infonce(scores), a, b)
    return _information(jax.vmap(_infonce)(scores).mean(), scores.shape[1])


@jax.jit
def nwj(key: Key[Array, ""], a: Split, b: Split) -> Information:
    """Returns the NWJ bound (Nguyen, Wainwright & Jordan 2010) for a [n, d] and b [n, e].

    The critic is trained on the Jensen-Shannon bound, which is more stable (Poole et al. 2019). The
    bound can exceed the ceiling of InfoNCE at the cost of variance. Its ceiling is the logarithm of
    the number of test rows: no larger bound can be trusted (McAllester & Stratos 2020).

    Raises ValueError for fewer than 2 test rows.
    """
    scores = _critic_scores(key, _jensen_shannon_loss, a, b)
    return _information(jax.vmap(_nwj)(scores).mean(), len(scores) * scores.shape[1])


@partial(jax.jit, static_argnames="width")
def gaussian_information(covariance: Float[Array, "p p"], width: int) -> Float[Array, ""]:
    """Returns the exact mutual information of two groups of Gaussian variables: float32 [], nats.

    It is infinite if one group is a function of the other, NaN if a group has a negative
    determinant. Scale does not matter.

    covariance: float32 [p, p], of all variables.
    width:      number of variables in the first group, which come first.

    Raises ValueError unless `covariance` is square and both groups hold a variable.
    """
    check_floats(covariance=covariance)
    size = len(covariance)
    if covariance.shape != (size, size) or not 0 < width < size:
        raise ValueError(
            f"width is {width}: allowed is 1 to {size - 1}, of a square covariance; "
            f"its shape is {covariance.shape}"
        )
    unit = jnp.sqrt(jnp.diag(covariance))
    correlation = covariance / unit[:, None] / unit[None]
    (sign_a, log_a), (sign_b, log_b), (sign, log_det) = map(
        jnp.linalg.slogdet, (correlation[:width, :width], correlation[width:, width:], correlation)
    )
    nats = jnp.where(sign > 0, 0.5 * (log_a + log_b - log_det), jnp.inf)
    return jnp.where((sign_a > 0) & (sign_b > 0), nats, jnp.nan)


def _information(nats, rows) -> Information:
    ceiling = jnp.log(jnp.float32(rows))
    return Information(nats, ceiling, nats > jnp.minimum(ceiling, jnp.log(BATCH)) - MARGIN)


@jax.default_matmul_precision("float32")
def _critic_scores(
    key: Key[Array, ""], loss: Callable[[Scores], Array], a: Split, b: Split
) -> Float[Array, "batches b b"]:
    """Returns the scores of a critic, fitted with Adam, in batches of the test rows."""
    check_splits(a=a, b=b)
    check_at_least(2, **{"number of test rows": len(a.test)})
    key_a, key_b, key_data = jax.random.split(key, 3)
    a, b = Split(*standardize(a.fit, a.test)), Split(*standardize(b.fit, b.test))
    tower = _Tower()
    params = tower.init(key_a, a.fit[:1]), tower.init(key_b, b.fit[:1])
    optimizer = optax.adam(optax.cosine_decay_schedule(LEARNING_RATE, STEPS))
    scores = lambda params, a, b: _compare(tower.apply(params[0], a), tower.apply(params[1], b))

    def step(carry, key):
        params, opt_state = carry
        rows = jax.random.randint(key, (BATCH,), 0, len(a.fit))
        gradient = jax.grad(lambda params: loss(scores(params, a.fit[rows], b.fit[rows])))(params)
        updates, opt_state = optimizer.update(gradient, opt_state)
        return (optax.apply_updates(params, updates), opt_state), None

    carry = (params, optimizer.init(params))
    (params, _), _ = jax.lax.scan(step, carry, jax.random.split(key_data, STEPS))
    size = min(BATCH, len(a.test))  # rows of an incomplete last batch take no part
    batches = len(a.test) // size
    in_batches = lambda rows: rows[: batches * size].reshape(batches, size, -1)
    return jax.lax.map(lambda pair: scores(params, *pair), (in_batches(a.test), in_batches(b.test)))


def _compare(a, b):
    """-‖a_i - b_j‖² of embeddings, plus the offsets in their last columns."""
    offsets = a[:, -1:] + b[None, :, -1]
    a, b = a[:, :-1], b[:, :-1]
    squares = jnp.sum(a**2, axis=1)[:, None] + jnp.sum(b**2, axis=1)[None]
    return offsets - squares + 2 * a @ b.T


def _infonce(scores):
    """Mean log-probability of the matched row among all rows, relative to chance."""
    return jnp.mean(jnp.diag(scores) - jax.nn.logsumexp(scores, axis=1)) + jnp.log(len(scores))


def _jensen_shannon_loss(scores):
    matched = jax.nn.softplus(-jnp.diag(scores)).mean()
    return matched + _mean_off_diagonal(jax.nn.softplus(scores))


def _nwj(scores):
    return jnp.diag(scores).mean() + 1 - _mean_off_diagonal(jnp.exp(scores))


def _mean_off_diagonal(values):
    size = len(values)
    return jnp.sum(jnp.where(jnp.eye(size, dtype=bool), 0.0, values)) / (size * (size - 1))


class _Tower(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        for width in WIDTHS:
            inputs = nn.relu(nn.Dense(width)(inputs))
        return nn.Dense(EMBEDDING + 1)(inputs)
