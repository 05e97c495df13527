"""Captioned scores: which factors of images a trained lane kept, and what is zero-shot told."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import lvm
import mmcl
import probes
from experiments.domains.domain import Trained
from experiments.results import MODALITIES, ZERO_SHOT, score_row
from experiments.settings import Lane

PHRASING = "phrasing"  # the factor that only captions have
PART = 512  # images that are encoded at once
GLANCE = 1024  # images that a glance fits its probe on, and as many at most that it tests on


class CaptionedScores(NamedTuple):
    """All scores of one lane.

    probes: by the probe's name, of the modalities x and t in this order and of every factor, the
    phrasing last; zero_shot: float32 [factors], Matthews correlation of the values that the nearest
    of all captions tells.
    """

    probes: dict[str, probes.FactorScores]
    zero_shot: Float[Array, " factors"]


def score_captioned(
    asked: tuple[str, ...], language: lvm.Language, caption: Callable, trained: Trained, key
) -> CaptionedScores:
    """Every score of one lane: probes asked for, fitted on training images, tested on others."""
    key_fit, key_test, key_probe = jax.random.split(key, 3)
    shared, lane = trained.shared, trained.lane
    pairs = caption(lane, key_fit, shared.train), caption(lane, key_test, shared.test)
    z = [_encode_in_parts(trained, part) for part in pairs]
    representations = probes.Split(*map(jnp.stack, z))
    factors = probes.Split(*map(_factors, pairs))
    unbiased = jnp.append(lvm.unbiased(lane.bias), False)
    score = lambda probe: probes.factor_scores(
        key_probe, probe, representations, factors, unbiased, _classes(language)
    )
    return CaptionedScores(
        {name: score(probes.CLASSIFIERS[name]) for name in asked},
        _zero_shot(language, trained, z[1].x, pairs[1].factors),
    )


def glance_captioned(
    language: lvm.Language, caption: Callable, trained: Trained, key
) -> mmcl.Modalities:
    """What one lane has kept so far, on few images: Matthews of every factor, a modality."""
    key_fit, key_test = jax.random.split(key)
    shared = trained.shared
    pairs = (
        caption(trained.lane, key_fit, few(shared.train)),
        caption(trained.lane, key_test, few(shared.test)),
    )
    factors = probes.Split(*map(_factors, pairs))
    fit, test = (_encode_in_parts(trained, part) for part in pairs)
    score = lambda *z: probes.factor_matthews(
        key_fit, probes.logistic, probes.Split(*z), factors, _classes(language)
    )
    return jax.tree.map(score, fit, test)


def few(labelled):
    """GLANCE images at most, spread evenly, since they may lie in the order of their factors."""
    count = len(labelled.images)
    places = np.linspace(0, count - 1, min(GLANCE, count)).astype(int)
    return jax.tree.map(lambda leaf: leaf[places], labelled)


def scores_a_lane(probes_asked: int, factors: int) -> int:
    """How many scores a whole lane has."""
    return probes_asked * len(MODALITIES) * (factors + 1) + factors


def score_rows(
    names: tuple[str, ...], lane: Lane, scores: CaptionedScores
) -> Iterator[dict[str, Any]]:
    """The rows of one lane; what the nearest caption tells has no attainable value."""
    del lane
    for probe, (measured, attainable) in scores.probes.items():
        for modality, of_modality in zip(MODALITIES, measured, strict=True):
            rows = zip((*names, PHRASING), of_modality, attainable, strict=True)
            for target, value, allowed in rows:
                yield score_row(modality, probe, target, "matthews", value, allowed)
    for target, value in zip(names, scores.zero_shot, strict=True):
        yield score_row("x", ZERO_SHOT, target, "matthews", value, np.nan)


def glance_row(names: tuple[str, ...], glance: mmcl.Modalities) -> dict[str, float]:
    """Columns x_color, ..., t_phrasing: Matthews correlation."""
    return {
        f"{modality}_{target}": float(value)
        for modality, of_modality in glance._asdict().items()
        for target, value in zip((*names, PHRASING), of_modality, strict=True)
    }


def _zero_shot(language, trained, images, factors):
    """All combinations of values are captioned; an image is what its nearest caption says."""
    every = np.stack(np.meshgrid(*map(np.arange, language.sizes), indexing="ij"), -1)
    every = jnp.asarray(every.reshape(-1, len(language.sizes)), jnp.int32)
    phrasing = jnp.zeros(len(every), jnp.int32)
    ids = lvm.captions(language, every, phrasing, trained.lane.bias.selected)
    texts = trained.encode(mmcl.Modalities(trained.shared.test.images[:1], ids)).t
    told = every[probes.nearest(images, texts, 1)[:, 0]]
    of_factor = lambda truth, guess: probes.matthews(truth, guess, int(max(language.sizes)))
    return jax.vmap(of_factor, in_axes=1)(factors, told)


def _encode_in_parts(trained: Trained, pairs) -> mmcl.Modalities:
    """Representations of many pairs, in memory of few."""
    observations = mmcl.Modalities(pairs.x, pairs.t)
    return jax.lax.map(
        lambda pair: jax.tree.map(
            lambda z: z[0], trained.encode(jax.tree.map(lambda leaf: leaf[None], pair))
        ),
        observations,
        batch_size=PART,
    )


def _factors(pairs):
    return jnp.concatenate([pairs.factors, pairs.phrasing[:, None]], axis=1)


def _classes(language: lvm.Language) -> int:
    return int(max(*language.sizes, len(language.phrasings)))
