"""Latents: the domain of the numerical study, where a drawn world mixes Gaussian latents."""

from functools import partial

import numpy as np
from ml_collections import ConfigDict

import lvm
from experiments.checks import require_known, require_least
from experiments.domains import latent_rows
from experiments.domains.domain import Domain
from experiments.domains.latent_scores import Evaluation, glance_latents, score_latents
from experiments.settings import indices_of
from probes import OUTCOMES, PROBES


def make_latents(config: ConfigDict) -> Domain:
    """The domain of worlds of a size; raises ValueError for a field out of range."""
    require_least(config, {"evaluation.fit": 2, "evaluation.test": 2})
    spec = lvm.WorldSpec(**config.world)
    names = tuple(f"s{place}" for place in range(1, spec.semantics + 1))
    evaluation = Evaluation(
        fit=config.evaluation.fit,
        test=config.evaluation.test,
        probes=require_known("evaluation.probes", config.evaluation.probes, PROBES),
        shifted=_shifted(config.evaluation, names),
        variant=spec.variant,
    )
    downstream = evaluation.shifted is not None
    return Domain(
        semantics=names,
        laws=lvm.DEPENDENCES,
        outputs=spec.semantics,
        vocabulary=0,
        scores=latent_rows.scores_a_lane(len(evaluation.probes), spec.semantics, downstream),
        blank=(),
        load=lambda show: (),
        init_world=lambda key, lane: lvm.init_world(key, spec, lane.dependence),
        sample=sample,
        score=partial(score_latents, evaluation),
        glance=glance_latents,
        rows=latent_rows.score_rows,
        glance_row=latent_rows.glance_row,
        words=None,
    )


def sample(shared, world, lane, key, count):
    """Pairs of a lane, as it trains on them."""
    del shared
    return lvm.sample_pairs(key, world, lane.bias, lane.noise_probability, count)


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
