"""Captioned scores: scores of the factors of images, and zero-shot classification."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

import lvm
import mmcl
import probes
from experiments.domains.domain import TrainedLane
from experiments.domains.pair_rows import pair_rows
from experiments.rundir.lane_identity import Lane
from experiments.rundir.results import MODALITIES, ZERO_SHOT, columns_row, score_row
from probes.factors import FactorScores
from probes.retrieval import PairScores

PHRASING = "phrasing"  # the label that only captions have
ENCODED_TOGETHER = 512  # images
CANDIDATES = 1024  # captions at most that zero-shot classification chooses from


class FactorProbe(NamedTuple):
    """A probe for labels and its counterpart for values."""

    classify: probes.Classifier
    predict: probes.Probe


class Targets(NamedTuple):
    """Targets of probes: names of labels, then of values, then the phrasing if there is one."""

    labels: tuple[str, ...]
    values: tuple[str, ...]
    phrasing: bool = True

    def metrics(self) -> dict[str, str]:
        """Returns the metric of every target, in this order."""
        return {
            **dict.fromkeys(self.labels, "matthews"),
            **dict.fromkeys(self.values, "r2"),
            **({PHRASING: "matthews"} if self.phrasing else {}),
        }


class Candidates(NamedTuple):
    """Captions that zero-shot classification chooses from, and the factors that they assign.

    ids: int32 [k, length]; factors: int32 [k, factors].
    """

    ids: Int[Array, "k length"]
    factors: Int[Array, "k factors"]


class CaptionedScores(NamedTuple):
    """All scores of one lane.

    probes:    by name of the probe; of the modalities x and t, in this order, and of every target.
    zero_shot: float32 [factors], Matthews correlation of each factor with its value in the caption
               that is nearest to the image.
    columns:   int32 [], number of columns of the representations that take part.
    pairs:     of the representations of image and caption.
    attainable_recall: float32 [counts], of representations that keep exactly the unbiased factors.
    """

    probes: dict[str, FactorScores]
    zero_shot: Float[Array, " factors"]
    columns: Int[Array, ""]
    pairs: PairScores
    attainable_recall: Float[Array, " counts"]


FACTOR_PROBES = {
    "linear": FactorProbe(probes.logistic, probes.ridge),
    "mlp": FactorProbe(probes.mlp_classifier, probes.mlp),
}
LABEL_PROBES = {"logistic": FACTOR_PROBES["linear"], "mlp": FACTOR_PROBES["mlp"]}  # labels alone


def target_scores(
    key,
    probe: FactorProbe,
    features: probes.Split,
    pairs: probes.Split,
    *,
    language: lvm.Language,
    targets: Targets,
) -> Float[Array, " targets"]:
    """Returns the score of every target by a probe on features [n, d] of pairs.

    Features and pairs are to fit and to test on; float32 [targets], in the order of `targets`.
    """
    key_labels, key_values = jax.random.split(key)
    positions = [language.names.index(name) for name in targets.labels]
    sizes = [*(language.sizes[position] for position in positions), len(language.phrasings)]
    phrasings = lambda part: [part.phrasing] if targets.phrasing else []
    labels = probes.Split(
        *(
            jnp.column_stack([part.factors[:, np.array(positions, int)], *phrasings(part)])
            for part in pairs
        )
    )
    classified = probes.factor_matthews(
        key_labels, probe.classify, labels, features, classes=max(sizes)
    )
    if not targets.values:
        return classified
    values = probes.Split(*(part.values for part in pairs))
    predicted = probes.factor_r2(key_values, probe.predict, values, features)
    count = len(targets.labels)
    return jnp.concatenate([classified[:count], predicted, classified[count:]])


def zero_shot_scores(
    trained: TrainedLane,
    candidates: Candidates,
    images: Float[Array, "n d"],
    factors,
    *,
    classes: int,
) -> Float[Array, " factors"]:
    """Returns scores of assigning to each image the factors of its nearest caption.

    `images` are representations of the test images with the given factors; `classes` is the largest
    number of values of a factor.
    """
    texts = trained.encode(mmcl.Modalities(trained.shared.test.images[:1], candidates.ids)).t
    nearest = probes.nearest(images, texts, 1)
    assigned = jnp.where(nearest < 0, -1, candidates.factors[nearest[:, 0]])  # -1 for NaN
    score = lambda truth, guess: probes.matthews(truth, guess, classes)
    return jax.vmap(score, in_axes=1)(factors, assigned)


def encode_in_parts(trained: TrainedLane, pairs) -> mmcl.Modalities:
    """Returns the representations of many pairs, with the memory that few need."""
    first = lambda z: z[0]
    encode_one = lambda pair: jax.tree.map(
        first, trained.encode(jax.tree.map(lambda leaf: leaf[None], pair))
    )
    pairs = mmcl.Modalities(pairs.x, pairs.t)
    return jax.lax.map(encode_one, pairs, batch_size=ENCODED_TOGETHER)


def evenly_spaced(size: int, count: int) -> np.ndarray:
    """Returns at most `count` row numbers below `size`, evenly spaced.

    Rows may be sorted by their factors, so the first ones would not be representative.
    """
    return np.linspace(0, size - 1, min(count, size)).astype(int)


def scores_per_lane(probe_count: int, targets: Targets, factors: int) -> int:
    """Returns the number of scores of one lane, without those of ADDED_METRICS."""
    return probe_count * len(MODALITIES) * len(targets.metrics()) + factors


def score_rows(
    lane: Lane, names: tuple[str, ...], targets: Targets, scores: CaptionedScores
) -> Iterator[dict[str, Any]]:
    """Yields one row for each score; zero-shot classification has no attainable value."""
    for probe, (measured, attainable) in scores.probes.items():
        for modality, modality_scores in zip(MODALITIES, measured, strict=True):
            rows = zip(targets.metrics().items(), modality_scores, attainable, strict=True)
            for (target, metric), value, best in rows:
                yield score_row(modality, probe, target, metric, value=value, attainable=best)
    yield columns_row(lane, scores.columns)
    yield from pair_rows(scores.pairs, scores.attainable_recall)
    for target, value in zip(names, scores.zero_shot, strict=True):
        yield score_row("x", ZERO_SHOT, target, "matthews", value=value, attainable=np.nan)


def monitor_row(targets: Targets, scores: mmcl.Modalities) -> dict[str, float]:
    """Returns columns x_color, ..., t_phrasing: Matthews correlation of labels, R² of values."""
    by_modality: Mapping[str, Any] = scores._asdict()
    return {
        f"{modality}_{target}": float(value)
        for modality, modality_scores in by_modality.items()
        for target, value in zip(targets.metrics(), modality_scores, strict=True)
    }


def candidate_values(
    language: lvm.Language, factors: Int[Array, "n factors"]
) -> Int[Array, "k factors"]:
    """Returns all combinations of values; if they are too many, those of some images."""
    if math.prod(language.sizes) > CANDIDATES:
        return factors[evenly_spaced(len(factors), CANDIDATES)]
    every = np.stack(np.meshgrid(*map(np.arange, language.sizes), indexing="ij"), -1)
    return jnp.asarray(every.reshape(-1, len(language.sizes)), jnp.int32)
