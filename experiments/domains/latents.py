"""Latents: the domain of the numerical study, where a drawn world mixes vectors of latents."""

from functools import partial

import numpy as np
from ml_collections import ConfigDict

import lvm
from experiments.domains import latent_rows
from experiments.domains.domain import Domain
from experiments.domains.latent_scores import (
    LAWS,
    Evaluation,
    Sampling,
    draw_pairs,
    glance_latents,
    halves,
    score_latents,
)
from experiments.runtime.checks import require_known, require_least
from experiments.sweep.settings import PAPERS, indices_of
from probes import PROBES
from probes.downstream import OUTCOMES


def make_latents(config: ConfigDict) -> Domain:
    """The domain of worlds of a size; raises ValueError for a field out of range."""
    require_least(config, {"evaluation.fit": 2, "evaluation.test": 2})
    world = dict(config.world)
    sampling = Sampling(
        _telling(config.settings, world.pop("captions", 1)), _noise_laws(config.settings)
    )
    spec = lvm.WorldSpec(**world)
    names = tuple(f"s{place}" for place in range(1, spec.semantics + 1))
    evaluation = Evaluation(
        fit=config.evaluation.fit,
        test=config.evaluation.test,
        probes=require_known("evaluation.probes", config.evaluation.probes, PROBES),
        shifted=_shifted(config.evaluation, names),
        variant=spec.variant,
        sampling=sampling,
    )
    downstream = evaluation.shifted is not None
    return Domain(
        semantics=names,
        laws=tuple(LAWS),
        misalignments=tuple(lvm.MISALIGNMENTS),
        outputs=spec.semantics,
        vocabulary=0,
        scores=latent_rows.scores_per_lane(len(evaluation.probes), spec.semantics, downstream),
        blank=(),
        load=lambda show: (),
        init_world=lambda key, lane: lvm.init_world(key, spec, halves(lane.dependence)[0]),
        sample=partial(sample, sampling),
        score=partial(score_latents, evaluation),
        glance=partial(glance_latents, sampling),
        rows=latent_rows.score_rows,
        glance_row=latent_rows.glance_row,
        words=None,
    )


def sample(sampling: Sampling, shared, world, lane, key, count):
    """Pairs of a lane, as it trains on them."""
    del shared
    return draw_pairs(sampling, world, lane, key, count)


def _telling(settings, captions: int) -> lvm.MisalignmentSpec:
    """How captions are made, with the kinds of misalignment that the settings name."""
    asked = {setting.get("misalignment", PAPERS) for setting in settings}
    kinds = tuple(kind for kind in lvm.MISALIGNMENTS if kind in asked)  # others are refused later
    try:
        return lvm.MisalignmentSpec(kinds or (PAPERS,), captions)
    except ValueError as error:
        raise ValueError(f"world.{error}") from None


def _noise_laws(settings) -> tuple[str, ...]:
    """The laws of exogenous noise that the settings name, in the order of `lvm.NOISE_LAWS`."""
    asked = {
        LAWS[name].noise
        for name in (setting.get("dependence") for setting in settings)
        if name in LAWS  # others are refused later
    }
    return tuple(law for law in lvm.NOISE_LAWS if law in asked) or ("gaussian",)


def _shifted(evaluation, names: tuple[str, ...]) -> np.ndarray | None:
    if not evaluation.downstream:
        return None
    if len(names) < max(OUTCOMES.values()):
        raise ValueError(
            f"evaluation.downstream is True: allowed is False with {len(names)} semantics, since "
            f"outcomes depend on {max(OUTCOMES.values())}"
        )
    shifted = indices_of(evaluation.shifted, "evaluation.shifted", names)
    return np.isin(np.arange(1, len(names) + 1), shifted)
