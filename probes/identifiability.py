"""Identifiability: scores of block identification (paper theorem 4.1).

The claim has two parts. First, every unbiased latent is a function of the representation: compare
`forward` scores with `attainable` ones, from the same probe on the true unbiased latents. Second,
the representation is a function of the unbiased latents alone (`reverse` scores), so it predicts no
other latent better than they do (`beyond` scores).
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from probes.arguments import check_mask, check_splits
from probes.metrics import masked_mean, r2
from probes.predictors.regression import Probe


class Latents(NamedTuple):
    """True latents of a batch.

    s:   float32 [n, n_s], semantics.
    m_x: float32 [n, d_x], image-only latents.
    m_t: float32 [n, d_t], text-only latents.
    """

    s: Float[Array, "n n_s"]
    m_x: Float[Array, "n d_x"]
    m_t: Float[Array, "n d_t"]


class Split(NamedTuple):
    """The rows of one quantity that probes are fitted on, and those they are tested on.

    Both are arrays with rows on axis 0, or `Latents`.
    """

    fit: Any
    test: Any


class LatentScores(NamedTuple):
    """R² of each latent.

    s:        float32 [n_s].
    m_x, m_t: float32 [], mean over their coordinates.
    """

    s: Float[Array, "*r n_s"]
    m_x: Float[Array, "*r"]
    m_t: Float[Array, "*r"]


class Identifiability(NamedTuple):
    """Scores of r representations by one probe; all leaves but `attainable` have a leading axis r.

    forward:    R² of every latent, predicted from the representation.
    beyond:     R² of the residual of every latent given the unbiased latents, predicted from the
                representation. It is 0 if the representation is a function of the unbiased latents,
                provided that the probe learns all that they predict; a linear probe does so for
                Gaussian latents. It is 0 for the unbiased latents, which have no residual. It
                uses the representation alone: a dependence that shows only together with the
                unbiased latents lowers `reverse` instead.
    reverse:    float32 [r], mean R² of the dimensions of the representation, predicted from the
                unbiased latents: 1 if it is a function of them alone that the probe can learn.
    attainable: R² of every latent, predicted from the true unbiased latents.
    """

    forward: LatentScores
    beyond: LatentScores
    reverse: Float[Array, " r"]
    attainable: LatentScores


@partial(jax.jit, static_argnames="probe")
def latent_scores(
    key: Key[Array, ""], probe: Probe, features: Split, latents: Split
) -> LatentScores:
    """Returns R² of every latent, predicted from features [n, d], on the test rows.

    NaN in a latent makes its score NaN, NaN in the features all of them.
    """
    _check_latents(latents)
    check_splits(features=features, **{"latents.s": _semantics(latents)})
    targets = _targets(latents)
    predictions = probe(key, features.fit, targets.fit, features.test)
    return _by_latent(r2(targets.test, predictions), latents)


@partial(jax.jit, static_argnames="probe")
def identifiability_scores(
    key: Key[Array, ""],
    probe: Probe,
    representations: Split,
    latents: Split,
    *,
    unbiased: Bool[Array, " n_s"],
    dimensions: Bool[Array, " d"],
) -> Identifiability:
    """Returns all scores of representations [r, n, d].

    The probe is fitted r + 1 times, once on the true unbiased latents and once on each
    representation. One key serves all of these fits, so that measured and attainable scores differ
    by their features alone.

    unbiased:   bool [n_s], the unbiased semantics.
    dimensions: bool [d], the columns of the representations that take part.

    Raises ValueError for shapes that do not match, or another dtype.
    """
    _check_latents(latents)
    check_splits(3, representations=representations)
    first = Split(*(part[0] for part in representations))
    check_splits(**{"representations[0]": first, "latents.s": _semantics(latents)})
    check_mask(latents.fit.s.shape[1], unbiased=unbiased)
    check_mask(representations.fit.shape[2], dimensions=dimensions)
    z, targets = representations, _targets(latents)
    truth = Split(*(jnp.where(unbiased[None], part.s, 0.0) for part in latents))
    count, width = targets.fit.shape
    fit_and_test = jnp.concatenate(truth)
    of_truth = probe(key, truth.fit, _concatenate_columns([targets.fit, *z.fit]), fit_and_test)
    attainable = Split(of_truth[:count, :width], of_truth[count:, :width])
    residuals = Split(targets.fit - attainable.fit, targets.test - attainable.test)

    def of_representation(rows):
        both = _concatenate_columns([targets.fit, residuals.fit])
        predicted = probe(key, rows.fit, both, rows.test)
        beyond = _by_latent(r2(residuals.test, predicted[:, width:]), latents)
        return (
            _by_latent(r2(targets.test, predicted[:, :width]), latents),
            beyond._replace(s=jnp.where(unbiased & ~jnp.isnan(beyond.s), 0.0, beyond.s)),
        )

    forward, beyond = jax.lax.map(of_representation, z)
    reverse = r2(_concatenate_columns(z.test), of_truth[count:, width:]).reshape(len(z.fit), -1)
    return Identifiability(
        forward=forward,
        beyond=beyond,
        reverse=jax.vmap(masked_mean, in_axes=(0, None))(reverse, dimensions),
        attainable=_by_latent(r2(targets.test, attainable.test), latents),
    )


def _check_latents(latents: Split) -> None:
    names = Latents._fields
    check_splits(**{f"latents.{n}": Split(*(getattr(part, n) for part in latents)) for n in names})


def _semantics(latents: Split) -> Split:
    return Split(latents.fit.s, latents.test.s)


def _targets(latents: Split) -> Split:
    return Split(*map(_concatenate_columns, latents))


def _by_latent(scores, latents: Split) -> LatentScores:
    n_s, d_x = latents.fit.s.shape[1], latents.fit.m_x.shape[1]
    s, m_x, m_t = jnp.split(scores, [n_s, n_s + d_x])
    return LatentScores(s, m_x.mean(), m_t.mean())


def _concatenate_columns(parts):
    return jnp.concatenate(list(parts), axis=1)
