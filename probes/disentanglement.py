"""Disentanglement: whether each latent has columns of a representation to itself, and all of them.

DCI of Eastwood & Williams (ICLR 2018): disentanglement, completeness, informativeness.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from probes.identifiability import Split
from probes.metrics import masked_mean, r2
from probes.predictors.regression import Probe


class DCI(NamedTuple):
    """float32 [] each, 1 is best.

    disentanglement: whether a column tells of one latent alone, mean over columns by importance.
    completeness:    whether one column tells all of a latent, mean over latents by importance.
    informativeness: mean R² of the latents.

    The first two are blind to permutation, shift and scale of the columns and, with a probe that
    can follow, to an invertible map of each; not to a rotation. Informativeness is blind to any
    invertible map that the probe can follow. By chance it is 0, and where it is near 0 the other
    two mean nothing: they are shares of noise. A random rotation of k latents gets 1 - (ψ(k/2 + 1)
    - ψ(3/2)) / log k of them by `ridge`: 0.44, 0.39, 0.28 of 2, 3, 10.
    """

    disentanglement: Float[Array, ""]
    completeness: Float[Array, ""]
    informativeness: Float[Array, ""]


def dci(
    key: Key[Array, ""], probe: Probe, features: Split, latents: Split, *, where: Bool[Array, " k"]
) -> DCI:
    """DCI of features [n, d] and the latents [n, k] in `where`; a constant column takes no part.

    With one latent, or one column, there is nothing to share and the score is 1; where nothing is
    told at all it is 0.
    """
    key_probe, key_order = jax.random.split(key)
    latents = Split(*(part * where[None] for part in latents))
    weights, told = importance(key_probe, key_order, probe, features=features, latents=latents)
    weights = weights * where[None]
    columns = features.fit.max(0) > features.fit.min(0)
    return DCI(
        _concentration(weights, where.sum()),
        _concentration(weights.T, columns.sum()),
        masked_mean(told, where),
    )


@jax.default_matmul_precision("float32")
def importance(
    key: Key[Array, ""], key_order: Key[Array, ""], probe: Probe, *, features: Split, latents: Split
) -> tuple[Float[Array, "d k"], Float[Array, " k"]]:
    """How much a probe needs each column for each latent, and R² of the latents.

    Permutation importance (Breiman 2001): the R² that is lost when a column of the test rows is
    shuffled, 0 where that gains. It asks nothing of the probe but predictions, so that one choice
    serves linear and nonlinear ones; with `ridge` it is twice the squared standardised coefficient.
    """
    rows, d = features.test, features.test.shape[1]

    def shuffled(key, column):
        return rows.at[:, column].set(jax.random.permutation(key, rows[:, column]))

    orders = jax.random.split(key_order, d)
    queries = jnp.concatenate([rows[None], jax.vmap(shuffled)(orders, jnp.arange(d))])
    predicted = probe(key, features.fit, latents.fit, queries.reshape(-1, d))
    scores = jax.vmap(r2, in_axes=(None, 0))(latents.test, predicted.reshape(d + 1, len(rows), -1))
    return jnp.maximum(scores[:1] - scores[1:], 0.0), scores[0]


def _concentration(weights, choices):
    """1 - entropy of each row as shares of `choices`, mean over rows by their weight."""
    totals = weights.sum(1)
    shares = weights / jnp.where(totals > 0, totals, 1.0)[:, None]
    entropies = -jnp.sum(jax.scipy.special.xlogy(shares, shares), axis=1)
    most = jnp.log(jnp.maximum(choices, 2))  # of one choice the entropy is 0
    all_weight = totals.sum()
    return jnp.sum(totals * (1 - entropies / most)) / jnp.where(all_weight > 0, all_weight, 1.0)
