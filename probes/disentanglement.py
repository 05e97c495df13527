"""Disentanglement: whether columns of a representation and latents match one to one.

DCI of Eastwood & Williams (ICLR 2018): disentanglement, completeness, informativeness.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from probes.arguments import check_mask, check_splits
from probes.columns import varying
from probes.identifiability import Split
from probes.metrics import masked_mean, r2
from probes.predictors.regression import Probe, predict


class DCI(NamedTuple):
    """DCI scores: float32 [] each, 1 is best.

    disentanglement: whether a column predicts one latent alone, mean over columns weighted by
                     importance.
    completeness:    whether one column alone predicts a latent, mean over latents weighted by
                     importance.
    informativeness: mean R² of the latents.

    The first two are invariant to permutation, shift and scale of the columns and, if the probe can
    learn it, to an invertible map of each column; they are not invariant to rotation.
    Informativeness is invariant to any invertible map that the probe can learn. By chance it is 0.
    If it is near 0, the other two are fractions of noise and have no meaning. With `ridge` both are
    1 - (ψ(k/2 + 1) - ψ(3/2)) / log k in expectation for a random rotation of k latents: 0.44, 0.39,
    0.28 for k = 2, 3, 10.
    """

    disentanglement: Float[Array, ""]
    completeness: Float[Array, ""]
    informativeness: Float[Array, ""]


@partial(jax.jit, static_argnames="probe")
def dci(
    key: Key[Array, ""],
    probe: Probe,
    features: Split,
    latents: Split,
    *,
    where: Bool[Array, " k"],
) -> DCI:
    """Returns DCI of features [n, d] and of the latents [n, k] in `where`.

    Constant columns take no part. Disentanglement is 1 for a single latent, completeness for a
    single column; both are 0 if no latent is predicted at all. NaN in the features or in one of the
    latents in `where` gives NaN.

    Raises ValueError for shapes that do not match, or another dtype.
    """
    check_splits(features=features, latents=latents)
    check_mask(latents.fit.shape[1], where=where)
    key_probe, key_order = jax.random.split(key)
    latents = Split(*(jnp.where(where[None], part, 0.0) for part in latents))
    weights, scores = importance(key_probe, key_order, probe, features=features, latents=latents)
    weights = jnp.where(where[None], weights, 0.0)
    columns = varying(features.fit)
    return DCI(
        _concentration(weights, where.sum()),
        _concentration(weights.T, columns.sum()),
        masked_mean(scores, where),
    )


@partial(jax.jit, static_argnames="probe")
@jax.default_matmul_precision("float32")
def importance(
    key: Key[Array, ""],
    key_order: Key[Array, ""],
    probe: Probe,
    *,
    features: Split,
    latents: Split,
) -> tuple[Float[Array, "d k"], Float[Array, " k"]]:
    """Returns the importance of each column for each latent, and R² of the latents.

    Permutation importance (Breiman 2001): the decrease of R² when a column of the test rows is
    shuffled, or 0 if R² increases. It is defined for linear and nonlinear probes alike, as it needs
    their predictions alone. With `ridge` it is twice the squared standardised coefficient.

    key, key_order: of the probe and of the shuffled orders; must be independent.
    features:       float32 [n, d].
    latents:        float32 [n, k].
    """
    check_splits(features=features, latents=latents)
    rows, d = features.test, features.test.shape[1]

    def shuffled(key, column):
        return rows.at[:, column].set(jax.random.permutation(key, rows[:, column]))

    orders = jax.random.split(key_order, d)
    queries = jnp.concatenate([rows[None], jax.vmap(shuffled)(orders, jnp.arange(d))])
    predicted = predict(probe, key, features.fit, latents.fit, queries=queries.reshape(-1, d))
    scores = jax.vmap(r2, in_axes=(None, 0))(latents.test, predicted.reshape(d + 1, len(rows), -1))
    return jnp.maximum(scores[:1] - scores[1:], 0.0), scores[0]


def _concentration(weights, categories):
    """1 - entropy of each row, in units of log `categories`; mean over rows by their weight."""
    totals = weights.sum(1)
    fractions = weights / jnp.where(totals == 0, 1.0, totals)[:, None]
    entropies = -jnp.sum(jax.scipy.special.xlogy(fractions, fractions), axis=1)
    largest = jnp.log(jnp.maximum(categories, 2))  # with one category the entropy is 0
    total = totals.sum()
    return jnp.sum(totals * (1 - entropies / largest)) / jnp.where(total == 0, 1.0, total)
