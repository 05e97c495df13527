"""Captioned scores: which factors of images a trained lane kept, and what is zero-shot told."""

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

import lvm
import mmcl
import probes
from experiments.domains.domain import Trained
from experiments.rundir.results import MODALITIES, ZERO_SHOT, score_row
from experiments.sweep.settings import Lane
from probes.factors import FactorScores, one_hots

PHRASING = "phrasing"  # the label that only captions have
PART = 512  # images that are encoded at once
GLANCE = 1024  # images that a glance fits its probe on, and as many at most that it tests on
MOST_CAPTIONS = 1024  # that zero-shot classification chooses from


class Judge(NamedTuple):
    """A probe for labels and its twin for values."""

    classify: probes.Classifier
    predict: probes.Probe


class Targets(NamedTuple):
    """What representations are asked: the names of labels, then of values, then the phrasing."""

    labels: tuple[str, ...]
    values: tuple[str, ...]

    def metrics(self) -> dict[str, str]:
        """The metric of every target, in this order."""
        return {
            **dict.fromkeys(self.labels, "matthews"),
            **dict.fromkeys(self.values, "r2"),
            PHRASING: "matthews",
        }


class CaptionedScores(NamedTuple):
    """All scores of one lane.

    probes: by the probe's name, of the modalities x and t in this order and of every target;
    zero_shot: float32 [factors], Matthews correlation of the values that the nearest caption tells.
    """

    probes: dict[str, FactorScores]
    zero_shot: Float[Array, " factors"]


JUDGES = {
    "linear": Judge(probes.logistic, probes.ridge),
    "mlp": Judge(probes.mlp_classifier, probes.mlp),
}
LABEL_JUDGES = {"logistic": JUDGES["linear"], "mlp": JUDGES["mlp"]}  # where all are labels


def score_captioned(
    judges: Mapping[str, Judge],
    language: lvm.Language,
    targets: Targets,
    caption: Callable,
    trained: Trained,
    key,
) -> CaptionedScores:
    """Every score of one lane: probes asked for, fitted on training images, tested on others."""
    key_fit, key_test, key_probe = jax.random.split(key, 3)
    shared, lane = trained.shared, trained.lane
    pairs = probes.Split(caption(lane, key_fit, shared.train), caption(lane, key_test, shared.test))
    z = probes.Split(*(_encode_in_parts(trained, part) for part in pairs))
    both = probes.Split(*map(jnp.stack, z))
    unbiased = lvm.unbiased(lane.bias)
    truth = probes.Split(*(one_hots(part.factors, unbiased, language.sizes) for part in pairs))
    judged = lambda judge: probes.factor_scores(
        partial(_judge, key_probe, judge, language, targets, pairs), both, truth
    )
    return CaptionedScores(
        {name: judged(judge) for name, judge in judges.items()},
        _zero_shot(language, trained, z.test.x, pairs.test.factors),
    )


def glance_captioned(
    language: lvm.Language, targets: Targets, caption: Callable, trained: Trained, key
) -> mmcl.Modalities:
    """What one lane has kept so far, on few images: scores of every target, a modality."""
    key_fit, key_test = jax.random.split(key)
    shared = trained.shared
    pairs = probes.Split(
        caption(trained.lane, key_fit, few(shared.train, GLANCE)),
        caption(trained.lane, key_test, few(shared.test, GLANCE)),
    )
    fit, test = (_encode_in_parts(trained, part) for part in pairs)
    score = partial(_judge, key_fit, JUDGES["linear"], language, targets, pairs)
    return jax.tree.map(lambda *z: score(probes.Split(*z)), fit, test)


def few(labelled, count: int):
    """`count` rows at most, spread evenly, since they may lie in the order of their factors."""
    there = len(labelled.images)
    places = np.linspace(0, there - 1, min(count, there)).astype(int)
    return jax.tree.map(lambda leaf: leaf[places], labelled)


def scores_per_lane(probes_asked: int, targets: Targets, factors: int) -> int:
    """How many scores a whole lane has."""
    return probes_asked * len(MODALITIES) * len(targets.metrics()) + factors


def score_rows(
    names: tuple[str, ...], targets: Targets, lane: Lane, scores: CaptionedScores
) -> Iterator[dict[str, Any]]:
    """The rows of one lane; what the nearest caption tells has no attainable value."""
    del lane
    for probe, (measured, attainable) in scores.probes.items():
        for modality, of_modality in zip(MODALITIES, measured, strict=True):
            rows = zip(targets.metrics().items(), of_modality, attainable, strict=True)
            for (target, metric), value, allowed in rows:
                yield score_row(modality, probe, target, metric, value, allowed)
    for target, value in zip(names, scores.zero_shot, strict=True):
        yield score_row("x", ZERO_SHOT, target, "matthews", value, np.nan)


def glance_row(targets: Targets, glance: mmcl.Modalities) -> dict[str, float]:
    """Columns x_color, ..., t_phrasing: Matthews correlation of labels, R² of values."""
    return {
        f"{modality}_{target}": float(value)
        for modality, of_modality in glance._asdict().items()
        for target, value in zip(targets.metrics(), of_modality, strict=True)
    }


def _judge(key, judge, language, targets, pairs, features) -> Float[Array, " targets"]:
    """Scores of every target by a probe on features, a `Split` as the pairs are."""
    places = [language.names.index(name) for name in targets.labels]
    sizes = [*(language.sizes[place] for place in places), len(language.phrasings)]
    labels = probes.Split(
        *(
            jnp.column_stack([part.factors[:, np.array(places, int)], part.phrasing])
            for part in pairs
        )
    )
    told = probes.factor_matthews(key, judge.classify, labels, features, classes=max(sizes))
    if not targets.values:
        return told
    values = probes.Split(*(part.values for part in pairs))
    predicted = probes.factor_r2(key, judge.predict, values, features)
    return jnp.concatenate([told[:-1], predicted, told[-1:]])


def _zero_shot(language, trained, images, factors):
    """An image is what its nearest caption says, of captions that tell all there is to tell."""
    candidates = _candidates(language, trained.shared.train)
    phrasing = jnp.zeros(len(candidates), jnp.int32)
    ids = lvm.generate_captions(language, candidates, phrasing, trained.lane.bias.selected)
    texts = trained.encode(mmcl.Modalities(trained.shared.test.images[:1], ids)).t
    told = candidates[probes.nearest(images, texts, 1)[:, 0]]
    of_factor = lambda truth, guess: probes.matthews(truth, guess, max(language.sizes))
    return jax.vmap(of_factor, in_axes=1)(factors, told)


def _candidates(language, train):
    """All combinations of values, or, where they are too many, some that images show."""
    if math.prod(language.sizes) > MOST_CAPTIONS:
        return few(train, MOST_CAPTIONS).factors
    every = np.stack(np.meshgrid(*map(np.arange, language.sizes), indexing="ij"), -1)
    return jnp.asarray(every.reshape(-1, len(language.sizes)), jnp.int32)


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
