"""Identifiability: how much of each latent a representation holds, and whether it holds more.

The claim (paper theorem 4.1) has two halves. All: every unbiased latent is a function of the
representation (`forward` scores). Only: the representation is a function of the unbiased latents
(`reverse`), and so tells of no other latent more than they do (`beyond`). `attainable` is the
yardstick of the first: the same probe on the true unbiased latents.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key, Shaped

from probes.metrics import masked_mean, r2
from probes.predictors.regression import Probe


class Latents(NamedTuple):
    """True latents of a batch, float32: s [n, n_s], m_x [n, d_x], m_t [n, d_t]."""

    s: Float[Array, "n n_s"]
    m_x: Float[Array, "n d_x"]
    m_t: Float[Array, "n d_t"]


class Split(NamedTuple):
    """Rows to fit a probe on and rows to test it on: any one thing, twice."""

    fit: Shaped[Array, "n ..."] | Latents
    test: Shaped[Array, "m ..."] | Latents


class LatentScores(NamedTuple):
    """R² of each latent, float32: s [n_s]; m_x [] and m_t [], the mean over their coordinates."""

    s: Float[Array, "*r n_s"]
    m_x: Float[Array, "*r"]
    m_t: Float[Array, "*r"]


class Identifiability(NamedTuple):
    """Scores of r representations by one probe; leaves of all but `attainable` begin with r.

    forward:    of every latent from the representation.
    beyond:     of what the unbiased latents leave unexplained of it, from the representation: 0 if
                that is a function of them, provided that the probe finds all they tell: a linear
                one does so for Gaussian latents. Nothing is left of an unbiased latent: 0. It sees
                what the representation tells by itself; a trace that only shows together with the
                unbiased latents lowers `reverse`.
    reverse:    float32 [r], mean R² of the representation's dimensions from the unbiased latents:
                1 if it is a function of them and of nothing else, and one that the probe can learn.
    attainable: of every latent from the true unbiased latents.
    """

    forward: LatentScores
    beyond: LatentScores
    reverse: Float[Array, " r"]
    attainable: LatentScores


def latent_scores(
    key: Key[Array, ""], probe: Probe, features: Split, latents: Split
) -> LatentScores:
    """How well a probe predicts every latent from features [n, d]: R² on the test rows."""
    targets = _targets(latents)
    predictions = probe(key, features.fit, targets.fit, features.test)
    return _by_latent(r2(targets.test, predictions), latents)


def identifiability_scores(
    key: Key[Array, ""],
    probe: Probe,
    representations: Split,
    latents: Split,
    *,
    unbiased: Bool[Array, " n_s"],
    dimensions: Bool[Array, " d"],
) -> Identifiability:
    """All scores of representations [r, n, d], of which columns in `dimensions` take part.

    A probe is fitted r + 1 times: on the true unbiased latents, to predict all that can be asked
    of them, and on each representation.
    """
    z, targets = representations, _targets(latents)
    truth = Split(*(jnp.where(unbiased[None], part.s, 0.0) for part in latents))
    count, width = targets.fit.shape
    told = probe(key, truth.fit, _side_by_side([targets.fit, *z.fit]), jnp.concatenate(truth))
    told_of_z, z_test = told[count:, width:], _side_by_side(z.test)
    left = Split(targets.fit - told[:count, :width], targets.test - told[count:, :width])

    def of_representation(rows):
        predicted = probe(key, rows.fit, _side_by_side([targets.fit, left.fit]), rows.test)
        beyond = _by_latent(r2(left.test, predicted[:, width:]), latents)
        return (
            _by_latent(r2(targets.test, predicted[:, :width]), latents),
            beyond._replace(s=jnp.where(unbiased, 0.0, beyond.s)),
        )

    forward, beyond = jax.lax.map(of_representation, z)
    reverse = r2(z_test, told_of_z).reshape(len(z.fit), -1)
    return Identifiability(
        forward=forward,
        beyond=beyond,
        reverse=jax.vmap(masked_mean, in_axes=(0, None))(reverse, dimensions),
        attainable=_by_latent(r2(targets.test, told[count:, :width]), latents),
    )


def _targets(latents: Split) -> Split:
    return Split(*map(_side_by_side, latents))


def _by_latent(scores, latents: Split) -> LatentScores:
    n_s, d_x = latents.fit.s.shape[1], latents.fit.m_x.shape[1]
    s, m_x, m_t = jnp.split(scores, [n_s, n_s + d_x])
    return LatentScores(s, m_x.mean(), m_t.mean())


def _side_by_side(parts):
    return jnp.concatenate(list(parts), axis=1)
