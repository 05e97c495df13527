"""Latent rows: a lane's scores as rows of `results.csv` and columns of `history.csv`."""

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

import probes
from experiments.domains.latent_scores import Downstream, Glance, LatentLaneScores
from experiments.rundir.results import (
    HEAD,
    MODALITIES,
    NO_PROBE,
    REVERSE,
    score_row,
    unbiased_names,
)
from experiments.sweep.settings import Lane
from probes.downstream import LABEL, OUTCOMES
from probes.identifiability import Identifiability, LatentScores

SIMILARITIES = ("mean_corr", "linear_cka")


def scores_per_lane(probes_asked: int, semantics: int, downstream: bool) -> int:
    """How many scores a whole lane has, those of the metric `r2_beyond` not counted."""
    of_probe = semantics + len(("m_x", "m_t", REVERSE))
    of_heads = 2 * (len(OUTCOMES) + 1) if downstream else 0
    return len(MODALITIES) * (probes_asked * of_probe + len(SIMILARITIES)) + of_heads


def score_rows(lane: Lane, scores: LatentLaneScores) -> Iterator[dict[str, Any]]:
    """The rows of one lane; a similarity has no attainable value, which is left empty."""
    for probe, of_probe in scores.probes.items():
        yield from _probe_rows(lane, probe, of_probe)
    for metric in SIMILARITIES:
        for modality, value in getattr(scores, metric)._asdict().items():
            yield score_row(modality, NO_PROBE, REVERSE, metric, value, np.nan)
    if scores.downstream is not None:
        yield from _downstream_rows(scores.downstream)


def glance_row(glance: Glance) -> dict[str, float]:
    """Columns x_s1, ..., t_m_t: R² of a latent from images (x) and from texts (t)."""
    return {
        f"{modality}_{target}": float(value)
        for modality, of_modality in glance._asdict().items()
        for target, value in _by_target(of_modality).items()
    }


def _by_target(scores: LatentScores) -> dict[str, Any]:
    """Scores of latents by the names that people read."""
    names = [f"s{i}" for i in range(1, len(scores.s) + 1)]
    return {**dict(zip(names, scores.s, strict=True)), "m_x": scores.m_x, "m_t": scores.m_t}


def _probe_rows(lane: Lane, probe: str, scores: Identifiability) -> Iterator[dict[str, Any]]:
    attainable = _by_target(scores.attainable)
    biased = attainable.keys() - unbiased_names(lane.selected, lane.perturbable)
    for place, modality in enumerate(MODALITIES):
        forward, beyond = (
            _by_target(jax.tree.map(lambda leaf, place=place: leaf[place], part))
            for part in (scores.forward, scores.beyond)
        )
        for target, value in forward.items():
            yield score_row(modality, probe, target, "r2", value, attainable[target])
        yield score_row(modality, probe, REVERSE, "r2", scores.reverse[place], 1.0)
        for target, value in beyond.items():
            if target in biased:
                yield score_row(modality, probe, target, "r2_beyond", value, 0.0)


def _downstream_rows(scores: Downstream) -> Iterator[dict[str, Any]]:
    measured, attainable = scores
    for place, environment in enumerate(probes.Environments._fields[1:]):
        pairs = zip(OUTCOMES, measured.r2[place], attainable.r2[place], strict=True)
        for outcome, value, allowed in pairs:
            yield score_row("x", HEAD, outcome, "r2", value, allowed, environment)
        values = measured.matthews[place], attainable.matthews[place]
        yield score_row("x", HEAD, LABEL, "matthews", *values, environment)
