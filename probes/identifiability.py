"""Identifiability: scores of block identification (paper theorem 4.1).

The claim has two parts. First, every unbiased latent is a function of the representation: compare
`forward` scores with `attainable` ones. Second, the representation is a function of the unbiased
latents alone (`reverse` scores), so that given these it predicts no other latent (`partial`
scores).
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from probes.arguments import check_columns, check_mask, check_splits
from probes.metrics import masked_mean, r2
from probes.predictors.regression import Probe, predict


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
    partial:    partial R² of every latent given the unbiased ones: R² of its residual, predicted
                from the residual of the representation. Both residuals are what the unbiased
                latents leave unexplained. It is 0 if the representation is a function of the
                unbiased latents that the probe can learn, and 0 for the unbiased latents, which
                have no residual. It does not depend on the size of a trace: a trace of a latent in
                one part in a thousand of the representation scores 1 if nothing else is with it.
    reverse:    float32 [r], mean R² of the dimensions of the representation, predicted from the
                unbiased latents: 1 if it is a function of them alone that the probe can learn.
    attainable: R² of every latent, predicted from the true unbiased latents.
    """

    forward: LatentScores
    partial: LatentScores
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
    predictions = predict(probe, key, features.fit, targets.fit, queries=features.test)
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
    conditional_means: Split | None = None,
) -> Identifiability:
    """Returns all scores of representations [r, n, d].

    One key serves all fits of the probe, so that measured and attainable scores differ by their
    features alone.

    unbiased:          bool [n_s], the unbiased semantics.
    dimensions:        bool [d], the columns of the representations that take part.
    conditional_means: float32 [n, n_s], the semantics expected from the unbiased ones, where the
                       law is known; m_x and m_t are then independent of them. With None (default)
                       the probe predicts latents from the unbiased semantics; attainable scores
                       are then a lower bound, as good as the probe.

    Raises ValueError for shapes that do not match, or another dtype.
    """
    _check_latents(latents)
    check_splits(3, representations=representations)
    first = Split(*(part[0] for part in representations))
    check_splits(**{"representations[0]": first, "latents.s": _semantics(latents)})
    check_mask(latents.fit.s.shape[1], unbiased=unbiased)
    check_mask(representations.fit.shape[2], dimensions=dimensions)
    targets = _targets(latents)
    truth = Split(*(jnp.where(unbiased[None], part.s, 0.0) for part in latents))
    if conditional_means is None:
        means, z_means = _predict_both(key, probe, truth, targets, representations)
    else:
        check_splits(conditional_means=conditional_means, **{"latents.s": _semantics(latents)})
        check_columns(conditional_means=conditional_means.fit, **{"latents.s": latents.fit.s})
        means = _known_means(conditional_means, latents)
        nothing = Split(*(part[:, :0] for part in targets))
        _, z_means = _predict_both(key, probe, truth, nothing, representations)
    residuals = Split(*map(jnp.subtract, targets, means))
    score = lambda goals, features: _by_latent(
        r2(goals.test, predict(probe, key, features.fit, goals.fit, queries=features.test)), latents
    )

    def of_representation(parts):
        z, z_mean = parts
        z = Split(*(jnp.where(dimensions[None], part, 0.0) for part in z))
        of_residuals = score(residuals, Split(*map(jnp.subtract, z, z_mean)))
        s = jnp.where(unbiased & ~jnp.isnan(of_residuals.s), 0.0, of_residuals.s)
        reverse = masked_mean(r2(z.test, z_mean.test), dimensions)
        return score(targets, z), of_residuals._replace(s=s), reverse

    return Identifiability(
        *jax.lax.map(of_representation, (representations, z_means)),
        attainable=_by_latent(r2(targets.test, means.test), latents),
    )


def _predict_both(key, probe: Probe, truth: Split, targets: Split, z: Split) -> tuple[Split, Split]:
    """Returns targets [n, k] and representations [r, n, d], predicted from unbiased semantics."""
    goals = _concatenate_columns([targets.fit, *z.fit])
    predicted = predict(probe, key, truth.fit, goals, queries=jnp.concatenate(truth))
    (count, width), d = targets.fit.shape, z.fit.shape[2]
    parts = Split(predicted[:count], predicted[count:])
    of_z = [part[:, width:].reshape(len(part), -1, d).swapaxes(0, 1) for part in parts]
    return Split(*(part[:, :width] for part in parts)), Split(*of_z)


def _known_means(conditional_means: Split, latents: Split) -> Split:
    """Returns conditional means of all latents [n, ...]; those of m_x and m_t are constant."""
    constant = lambda m, rows: jnp.broadcast_to(m.mean(0, keepdims=True), (rows, m.shape[1]))
    fit = latents.fit
    return Split(
        *(
            _concatenate_columns([s, constant(fit.m_x, len(s)), constant(fit.m_t, len(s))])
            for s in conditional_means
        )
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
