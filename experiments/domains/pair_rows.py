"""Pair rows: retrieval, modality gap, alignment and uniformity of a lane, for every domain."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Array, Float

from experiments.rundir.lane_identity import REVERSE
from experiments.rundir.older_versions import RECALLS
from experiments.rundir.results import CLOSED_FORM, MODALITIES, NO_PROBE, PAIR, score_row
from probes.retrieval import PairScores

GALLERY = 1000  # held-out pairs at most, of which one is the partner of a query


def pair_rows(
    scores: PairScores, attainable_recall: Float[Array, " counts"] | None
) -> Iterator[dict[str, Any]]:
    """Yields one row for each score; those without a modality have that of images.

    attainable_recall: of representations that are equal functions of the unbiased semantics, whose
                       modality gap and alignment are 0; None if theory makes no statement.
    """
    theory = attainable_recall is not None
    recalls = attainable_recall if theory else [np.nan] * len(RECALLS)
    zero = 0.0 if theory else np.nan
    row = partial(score_row, probe=NO_PROBE, attainable_by=CLOSED_FORM)
    for modality, of_modality in zip(MODALITIES, scores.recall, strict=True):
        for metric, value, best in zip(RECALLS, of_modality, recalls, strict=True):
            yield row(modality, target=PAIR, metric=metric, value=value, attainable=best)
    size = scores.pairs
    yield row("x", target=PAIR, metric="gallery_size", value=size, attainable=np.nan)
    for metric in ("modality_gap", "alignment"):
        value = getattr(scores, metric)
        yield row("x", target=PAIR, metric=metric, value=value, attainable=zero)
    for modality, value in zip(MODALITIES, scores.uniformity, strict=True):
        yield row(modality, target=REVERSE, metric="uniformity", value=value, attainable=np.nan)
