"""Identifiability: how much of each latent a representation holds, and whether it holds more.

The claim (paper theorem 4.1) has two halves. All: every unbiased latent is a function of the
representation (`latent_scores`). Only: the representation is a function of the unbiased latents
(`reverse_score`). `attainable_scores` is the yardstick of the first: the same probe on the truth.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from probes.metrics import masked_mean, r2
from probes.regression import Probe


class Latents(NamedTuple):
    """True latents of a batch, float32: s [n, n_s], m_x [n, d_x], m_t [n, d_t]."""

    s: Float[Array, "n n_s"]
    m_x: Float[Array, "n d_x"]
    m_t: Float[Array, "n d_t"]


class Split(NamedTuple):
    """Rows to fit a probe on and rows to test it on: any one thing, twice."""

    fit: Float[Array, "n ..."] | Latents
    test: Float[Array, "m ..."] | Latents


class LatentScores(NamedTuple):
    """R² of each latent, float32: s [n_s]; m_x [] and m_t [], the mean over their coordinates."""

    s: Float[Array, " n_s"]
    m_x: Float[Array, ""]
    m_t: Float[Array, ""]


def latent_scores(
    key: Key[Array, ""], probe: Probe, features: Split, latents: Split
) -> LatentScores:
    """How well a probe predicts every latent from features [n, d]: R² on the test rows."""
    targets = jnp.concatenate(latents.fit, axis=1)
    predictions = probe(key, features.fit, targets, features.test)
    scores = r2(jnp.concatenate(latents.test, axis=1), predictions)
    n_s, d_x = latents.fit.s.shape[1], latents.fit.m_x.shape[1]
    s, m_x, m_t = jnp.split(scores, [n_s, n_s + d_x])
    return LatentScores(s, m_x.mean(), m_t.mean())


def attainable_scores(
    key: Key[Array, ""], probe: Probe, latents: Split, unbiased: Bool[Array, " n_s"]
) -> LatentScores:
    """The scores of the same probe from the true unbiased latents: what theory allows."""
    return latent_scores(key, probe, _unbiased_alone(latents, unbiased), latents)


def reverse_score(
    key: Key[Array, ""],
    probe: Probe,
    features: Split,
    latents: Split,
    unbiased: Bool[Array, " n_s"],
    dimensions: Bool[Array, " d"],
) -> Float[Array, ""]:
    """How well the unbiased latents predict the representation: mean R² of its dimensions.

    1 says that the representation is a function of them and of nothing else: float32 [].
    """
    truth = _unbiased_alone(latents, unbiased)
    predictions = probe(key, truth.fit, features.fit, truth.test)
    return masked_mean(r2(features.test, predictions), dimensions)


def _unbiased_alone(latents: Split, unbiased) -> Split:
    """The semantics with the biased ones set to 0, which a probe cannot use."""
    return Split(*(jnp.where(unbiased[None], part.s, 0.0) for part in latents))
