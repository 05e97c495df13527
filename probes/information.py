"""Information: lower bounds on what a representation tells of a latent, in nats.

A critic, which compares what two small networks make of both sides, learns which rows belong
together. On rows it has not seen, what it says of true and of false pairs bounds their mutual
information from below: the mean does, a single value errs by the spread of few rows. Mutual
information is invariant to any invertible map of either side, a bound is as far as the critic can
follow. By chance a bound is 0, or somewhat below, where the critic has learnt noise.
"""

from collections.abc import Callable
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, Key

from probes.identifiability import Split
from probes.predictors.networks import LEARNING_RATE, WIDTHS
from probes.predictors.regression import standardize

EMBEDDING = 32
STEPS = 600
BATCH = 256  # rows that are told apart
MARGIN = 1.5  # nats below its ceiling from which a bound is flagged

Scores = Float[Array, "b b"]  # by the critic, those of true pairs on the diagonal


class Information(NamedTuple):
    """nats: the bound, float32 []; ceiling: what it can show at most, float32 [].

    saturated: bool [], whether it comes within `MARGIN` of its ceiling: then there may be far more.
    """

    nats: Float[Array, ""]
    ceiling: Float[Array, ""]
    saturated: Bool[Array, ""]


def infonce(key: Key[Array, ""], a: Split, b: Split) -> Information:
    """InfoNCE (van den Oord et al. 2018) of a [n, d] and b [n, e]: steady, but low where much is
    told, as it cannot exceed the logarithm of the `BATCH` rows that are told apart.

    No invertible map of a or b changes what it bounds; by chance it is 0, or a little below. Raises
    ValueError for fewer than 2 test rows, as `nwj` does.
    """
    scores = _critic_scores(key, lambda scores: -_infonce(scores), a, b)
    return _information(jax.vmap(_infonce)(scores).mean(), scores.shape[1])


def nwj(key: Key[Array, ""], a: Split, b: Split) -> Information:
    """NWJ (Nguyen, Wainwright & Jordan 2010) of a [n, d] and b [n, e], by a critic trained on the
    Jensen-Shannon bound, which is the steadier one to train (Poole et al. 2019).

    It passes the ceiling of InfoNCE at the price of variance. Its own is the logarithm of the rows
    it is tested on: no bound above that can be trusted (McAllester & Stratos 2020). Maps and chance
    as with `infonce`.
    """
    scores = _critic_scores(key, _jensen_shannon_loss, a, b)
    return _information(jax.vmap(_nwj)(scores).mean(), len(scores) * scores.shape[1])


def gaussian_information(covariance: Float[Array, "p p"], width: int) -> Float[Array, ""]:
    """Exact mutual information of the first `width` of jointly Gaussian variables and the others.

    Float32 [], nats; infinite where one side is a function of the other.
    """
    log_det = lambda part: jnp.linalg.slogdet(part)[1]
    parts = covariance[:width, :width], covariance[width:, width:]
    return 0.5 * (sum(map(log_det, parts)) - log_det(covariance))


def _information(nats, rows) -> Information:
    ceiling = jnp.log(jnp.float32(rows))
    return Information(nats, ceiling, nats > ceiling - MARGIN)


@jax.default_matmul_precision("float32")
def _critic_scores(
    key: Key[Array, ""], loss: Callable[[Scores], Array], a: Split, b: Split
) -> Float[Array, "batches b b"]:
    """Scores of the test rows, batch by batch, by a critic fitted with Adam."""
    if len(a.test) < 2:
        raise ValueError(f"there are {len(a.test)} test rows: allowed is 2 or more")
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
    size = min(BATCH, len(a.test))  # rows beyond whole batches take no part
    batches = len(a.test) // size
    in_batches = lambda rows: rows[: batches * size].reshape(batches, size, -1)
    return jax.lax.map(lambda pair: scores(params, *pair), (in_batches(a.test), in_batches(b.test)))


def _compare(a, b):
    """-‖a_i - b_j‖² of embeddings, plus the offset that each has as its last column."""
    offsets = a[:, -1:] + b[None, :, -1]
    a, b = a[:, :-1], b[:, :-1]
    squares = jnp.sum(a**2, axis=1)[:, None] + jnp.sum(b**2, axis=1)[None]
    return offsets - squares + 2 * a @ b.T


def _infonce(scores):
    """Of each row, how likely its own partner is among all, beside chance."""
    return jnp.mean(jnp.diag(scores) - jax.nn.logsumexp(scores, axis=1)) + jnp.log(len(scores))


def _jensen_shannon_loss(scores):
    true = jax.nn.softplus(-jnp.diag(scores)).mean()
    return true + _mean_off_diagonal(jax.nn.softplus(scores))


def _nwj(scores):
    return jnp.diag(scores).mean() + 1 - _mean_off_diagonal(jnp.exp(scores))


def _mean_off_diagonal(values):
    size = len(values)
    return jnp.sum(values * (1 - jnp.eye(size))) / (size * (size - 1))


class _Tower(nn.Module):
    @nn.compact
    def __call__(self, inputs):
        for width in WIDTHS:
            inputs = nn.relu(nn.Dense(width)(inputs))
        return nn.Dense(EMBEDDING + 1)(inputs)
