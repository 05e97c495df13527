"""Latent rows: scores of a lane of latents, as rows of `results.csv` and of `history.csv`."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Int

import mmcl
import probes
from experiments.domains.conditional_means import method_of
from experiments.domains.pair_rows import pair_rows
from experiments.rundir.lane_identity import PAPER_MISALIGNMENT, REVERSE, Lane, unbiased_names
from experiments.rundir.older_versions import RECALLS
from experiments.rundir.results import (
    CLOSED_FORM,
    HEAD,
    MODALITIES,
    MONTE_CARLO,
    NO_PROBE,
    NOT_SEMANTICS,
    columns_row,
    score_row,
)
from lvm.latents.misalignment import WITHIN_CATEGORY
from probes.downstream import LABEL, OUTCOMES, DownstreamScores
from probes.identifiability import Identifiability, LatentScores
from probes.retrieval import PairScores

SIMILARITIES = ("mean_corr", "linear_cka")


class Downstream(NamedTuple):
    """Scores of heads on image representations, and of the same on the true unbiased latents."""

    measured: DownstreamScores
    attainable: DownstreamScores


class LatentLaneScores(NamedTuple):
    """All scores of one lane.

    probes:                by name of the probe; of the modalities x and t, in this order.
    columns:               int32 [], number of columns of the representations that take part.
    mean_corr, linear_cka: float32 [] for each modality, between the unbiased latents and the
                           representation.
    pairs:                 of the representations of image and text.
    downstream:            None if it was not computed.
    """

    probes: dict[str, Identifiability]
    columns: Int[Array, ""]
    mean_corr: mmcl.Modalities
    linear_cka: mmcl.Modalities
    pairs: PairScores
    downstream: Downstream | None


class MonitorScores(NamedTuple):
    """Scores of the latents by ridge regression on few pairs, for each modality."""

    x: LatentScores
    t: LatentScores


def scores_per_lane(probe_count: int, semantics: int, downstream: bool) -> int:
    """Returns the number of scores of one lane, without those of ADDED_METRICS."""
    per_probe = semantics + len(("m_x", "m_t", REVERSE))
    of_heads = 2 * (len(OUTCOMES) + 1) if downstream else 0
    return len(MODALITIES) * (probe_count * per_probe + len(SIMILARITIES)) + of_heads


def score_rows(lane: Lane, scores: LatentLaneScores) -> Iterator[dict[str, Any]]:
    """Yields one row for each score; similarities have no attainable value."""
    for probe, probe_scores in scores.probes.items():
        yield from _probe_rows(lane, probe, probe_scores)
    yield columns_row(lane, scores.columns)
    # unbiased semantics are continuous, so no two pairs have equal ones
    by_theory = np.ones(len(RECALLS)) if lane.misalignment == PAPER_MISALIGNMENT else None
    yield from pair_rows(scores.pairs, by_theory)
    for metric in SIMILARITIES:
        for modality, value in getattr(scores, metric)._asdict().items():
            yield score_row(modality, NO_PROBE, REVERSE, metric, value=value, attainable=np.nan)
    if scores.downstream is not None:
        yield from _downstream_rows(scores.downstream)


def monitor_row(scores: MonitorScores) -> dict[str, float]:
    """Returns the columns x_s1, ..., t_m_t: R² of a latent from images (x) and from texts (t)."""
    return {
        f"{modality}_{target}": float(value)
        for modality, latent_scores in scores._asdict().items()
        for target, value in _by_target(latent_scores).items()
    }


def _by_target(scores: LatentScores) -> dict[str, Any]:
    names = [f"s{number}" for number in range(1, len(scores.s) + 1)]
    return {**dict(zip(names, scores.s, strict=True)), "m_x": scores.m_x, "m_t": scores.m_t}


def _probe_rows(lane: Lane, probe: str, scores: Identifiability) -> Iterator[dict[str, Any]]:
    method = method_of(lane.dependence, lane.noise_law, lane.misalignment)
    category_alone = lane.misalignment in WITHIN_CATEGORY and lane.noise_probability > 0
    attainable = _by_target(scores.attainable)
    biased = attainable.keys() - unbiased_names(lane.selected, lane.perturbable)
    for index, modality in enumerate(MODALITIES):
        of_target = partial(score_row, modality, probe)
        forward, of_residuals = (
            _by_target(jax.tree.map(lambda leaf, index=index: leaf[index], part))
            for part in (scores.forward, scores.partial)
        )
        for target, value in forward.items():
            by = method if target in biased else CLOSED_FORM
            if category_alone and target not in NOT_SEMANTICS:
                by = MONTE_CARLO  # means of the pairs of each category
            best = attainable[target]
            yield of_target(target, "r2", value=value, attainable=best, attainable_by=by)
        exact = partial(of_target, attainable_by=CLOSED_FORM)
        yield exact(REVERSE, "r2", value=scores.reverse[index], attainable=1.0)
        for target in (target for target in of_residuals if target in biased):
            value = of_residuals[target]  # its residuals are as good as the method
            yield of_target(target, "partial_r2", value=value, attainable=0.0, attainable_by=method)


def _downstream_rows(scores: Downstream) -> Iterator[dict[str, Any]]:
    measured, attainable = scores
    for index, environment in enumerate(probes.Environments._fields[1:]):
        rows = zip(OUTCOMES, measured.r2[index], attainable.r2[index], strict=True)
        for outcome, value, best in rows:
            yield score_row(
                "x", HEAD, outcome, "r2", value=value, attainable=best, environment=environment
            )
        yield score_row(
            "x",
            HEAD,
            LABEL,
            "matthews",
            value=measured.matthews[index],
            attainable=attainable.matthews[index],
            environment=environment,
        )
