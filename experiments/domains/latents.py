"""Latents: the domain of the numerical study, a drawn world that mixes vectors of latents."""

import dataclasses
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

import lvm
import probes
from experiments.domains import latent_rows
from experiments.domains.conditional_means import (
    category_r2,
    compiled_methods,
    conditional_means,
    dependences,
)
from experiments.domains.domain import Domain, TrainedLane, keeps_category, scored_lane
from experiments.domains.given_world import (
    FIELDS,
    GivenWorld,
    empty_given,
    given_world,
    read_given,
)
from experiments.domains.latent_rows import Downstream, LatentLaneScores, MonitorScores
from experiments.domains.pair_rows import GALLERY
from experiments.rundir.lane_identity import PAPER_MISALIGNMENT, semantic_indices
from experiments.runtime.checks import require_known, require_least
from lvm.latents.misalignment import WITHIN_CATEGORY
from lvm.latents.switch import switch_by_name
from probes.downstream import OUTCOMES
from probes.retrieval import pair_scores

MONITOR_PAIRS = 4096  # that monitor scores fit their probe on, and as many that they test it on


class ScoreKeys(NamedTuple):
    """Keys of scoring, one for each purpose."""

    fit_pairs: jax.Array
    test_pairs: jax.Array
    probes: jax.Array
    downstream: jax.Array
    conditional_means: jax.Array


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """How a lane is scored.

    fit, test: number of pairs that a probe is fitted on, and tested on.
    probes:    names in `probes.PROBES`.
    shifted:   bool [n], semantics that shift in downstream tasks; None for no downstream tasks.
    """

    fit: int
    test: int
    probes: tuple[str, ...]
    shifted: np.ndarray | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class LatentsDomain(Domain):
    """Worlds of one size.

    compiled_noise_laws, compiled_methods: noise laws, and methods of conditional means, that the
        settings use; only these are compiled.
    given: the file with the covariance or the world of all lanes, if the config gives one.
    """

    spec: lvm.WorldSpec
    misalignment: lvm.MisalignmentSpec
    compiled_noise_laws: tuple[str, ...]
    compiled_methods: tuple[str, ...]
    evaluation: Evaluation
    given: GivenWorld | None = None

    def load(self, report_fraction):
        """Returns the law or the world that the config gives, if it gives one."""
        del report_fraction
        return () if self.given is None else read_given(self.given, self.spec)

    def empty_shared(self):
        """Returns zeros instead."""
        return () if self.given is None else empty_given(self.given, self.spec)

    def identify(self, lane):
        """Returns the lane with the dependence of a given world.

        Raises ValueError for a world seed of a lane whose whole world is given.
        """
        if self.given is None:
            return lane
        if self.given.field == "file" and lane.world_seed != lane.seed:
            raise ValueError(
                f"world_seed is {lane.world_seed}: allowed is None with world.file, which gives "
                "the world"
            )
        return dataclasses.replace(lane, dependence=self.given.law)

    def init_world(self, key, lane, shared):
        """Draws a world with the dependence of the lane, or takes the parts that are given."""
        if isinstance(shared, lvm.World):
            return shared
        if isinstance(shared, lvm.Semantics):
            return lvm.init_world(key, self.spec, "dependent")._replace(semantics=shared)
        return lvm.init_world(key, self.spec, lane.dependence)

    def sample(self, key, count, *, shared, world, lane, shift=None):
        """Samples `lvm.Pairs`; `shift` as in `lvm.sample_pairs`."""
        del shared
        return lvm.sample_pairs(
            key,
            world,
            lane.bias,
            count,
            noise_probability=lane.noise_probability,
            misalignment=lane.misalignment,
            noise_law=partial(
                switch_by_name, lvm.NOISE_LAWS, self.compiled_noise_laws, lane.noise_law
            ),
            spec=self.misalignment,
            shift=shift,
        )

    def score(self, key, trained: TrainedLane) -> LatentLaneScores:
        """Returns the scores of every probe on new pairs, and of downstream heads."""
        trained = trained._replace(lane=scored_lane(trained.lane, self.misalignments))
        keys = ScoreKeys(*jax.random.split(key, len(ScoreKeys._fields)))
        lane, evaluation = trained.lane, self.evaluation
        draw = partial(self.sample, shared=(), world=trained.world, lane=lane)
        pairs = probes.Split(
            draw(keys.fit_pairs, evaluation.fit), draw(keys.test_pairs, evaluation.test)
        )
        z, latents = _encoded(trained, pairs)
        both = probes.Split(*map(jnp.stack, z))
        unbiased = lvm.unbiased(lane.bias)
        means = conditional_means(
            keys.conditional_means,
            lane,
            trained.world.semantics,
            probes.Split(*(part.s for part in pairs)),
            compiled=self.compiled_methods,
        )
        probe_scores = lambda probe: probes.identifiability_scores(
            keys.probes,
            probe,
            both,
            latents,
            unbiased=unbiased,
            dimensions=trained.columns,
            conditional_means=means,
        )
        similarity = lambda metric: jax.tree.map(
            lambda rows: metric(rows, latents.test.s, unbiased), z.test
        )
        by_probe = {name: probe_scores(probes.PROBES[name]) for name in evaluation.probes}
        if not WITHIN_CATEGORY.isdisjoint(self.misalignment.kinds):
            by_probe = _attainable_in_category(by_probe, lane, pairs)
        return LatentLaneScores(
            probes=by_probe,
            columns=trained.columns.sum(),
            mean_corr=similarity(probes.mean_corr),
            linear_cka=similarity(probes.linear_cka),
            pairs=pair_scores(
                *(rows[:GALLERY] for rows in z.test), trained.similarity, trained.columns
            ),
            downstream=None
            if evaluation.shifted is None
            else self._downstream(keys.downstream, trained, pairs, z),
        )

    def monitor(self, key, trained: TrainedLane) -> MonitorScores:
        """Returns R² of every latent by ridge regression on few pairs."""
        key_fit, key_test, key_probe = jax.random.split(key, 3)
        draw = partial(self.sample, shared=(), world=trained.world, lane=trained.lane)
        pairs = probes.Split(draw(key_fit, MONITOR_PAIRS), draw(key_test, MONITOR_PAIRS))
        z, latents = _encoded(trained, pairs)
        score = lambda fit, test: probes.latent_scores(
            key_probe, probes.ridge, probes.Split(fit, test), latents
        )
        return MonitorScores(score(z.fit.x, z.test.x), score(z.fit.t, z.test.t))

    def score_rows(self, lane, scores):
        """Yields one row for each score."""
        return latent_rows.score_rows(lane, scores)

    def monitor_row(self, scores):
        """Returns the columns x_s1, ..., t_m_t."""
        return latent_rows.monitor_row(scores)

    def _downstream(self, key, trained: TrainedLane, pairs, z) -> Downstream:
        key_pairs, key_heads = jax.random.split(key)
        reference = self.spec.variant == "reference"
        shift = partial(
            lvm.heavy_tails,
            shifted=self.evaluation.shifted,
            outlier_probability=0.1 if reference else 0.0,
        )
        lane = trained.lane
        shifted = self.sample(
            key_pairs, self.evaluation.test, shared=(), world=trained.world, lane=lane, shift=shift
        )
        s = probes.Environments(*(part.s for part in (*pairs, shifted)))
        images = probes.Environments(*(part.x for part in z), trained.encode(shifted).x)
        unbiased = lvm.unbiased(lane.bias)[None]
        truth = jax.tree.map(lambda part: jnp.where(unbiased, part, 0.0), s)
        # one key for both: measured and attainable differ by the features alone
        score = partial(probes.downstream_scores, key_heads, s=s, variant=self.spec.variant)
        return Downstream(score(images), score(truth))


def _attainable_in_category(by_probe, lane, pairs: probes.Split):
    """Scores whose attainable R² is that from the category, if captions keep that alone."""
    alone = keeps_category(lane, tuple(lvm.MISALIGNMENTS)) & (lane.noise_probability > 0)
    r2 = category_r2(lane.bias, probes.Split(*(part.s for part in pairs)))
    choose = lambda attainable: attainable._replace(s=jnp.where(alone, r2, attainable.s))
    return {
        name: scores._replace(attainable=choose(scores.attainable))
        for name, scores in by_probe.items()
    }


def make_latents(config: ConfigDict) -> LatentsDomain:
    """Returns the domain of a config; raises ValueError for a field that is out of range."""
    require_least(config, {"evaluation.fit": 2, "evaluation.test": 2})
    given = given_world(config.world)
    world = {name: value for name, value in config.world.items() if name not in FIELDS}
    misalignment = _misalignment_spec(config.settings, world.pop("captions", 1))
    spec = lvm.WorldSpec(**world)
    names = tuple(f"s{number}" for number in range(1, spec.semantics + 1))
    evaluation = Evaluation(
        fit=config.evaluation.fit,
        test=config.evaluation.test,
        probes=require_known("evaluation.probes", config.evaluation.probes, probes.PROBES),
        shifted=_shifted(config.evaluation, names),
    )
    return LatentsDomain(
        semantics=names,
        dependences=dependences() if given else tuple(lvm.DEPENDENCES),
        noise_laws=tuple(lvm.NOISE_LAWS),
        misalignments=tuple(lvm.MISALIGNMENTS),
        outputs=spec.semantics,
        vocabulary=0,
        scores_per_lane=latent_rows.scores_per_lane(
            len(evaluation.probes), spec.semantics, evaluation.shifted is not None
        ),
        spec=spec,
        misalignment=misalignment,
        compiled_noise_laws=_used(config.settings, "noise_law", "gaussian", lvm.NOISE_LAWS),
        compiled_methods=_methods(config.settings, given),
        evaluation=evaluation,
        given=given,
    )


def _encoded(trained: TrainedLane, pairs: probes.Split) -> tuple[probes.Split, probes.Split]:
    """Representations and latents of pairs to fit and to test on."""
    z = probes.Split(*map(trained.encode, pairs))
    return z, probes.Split(*(probes.Latents(part.s, part.m_x, part.m_t) for part in pairs))


def _misalignment_spec(settings, captions: int) -> lvm.MisalignmentSpec:
    kinds = _used(settings, "misalignment", PAPER_MISALIGNMENT, lvm.MISALIGNMENTS)
    try:
        return lvm.MisalignmentSpec(kinds, captions)
    except ValueError as error:
        raise ValueError(f"world.{error}") from None


def _used(settings, field: str, default: str, known) -> tuple[str, ...]:
    """The names that settings have in a field; unknown ones are refused later, with the setting."""
    names = {setting.get(field, default) for setting in settings}
    return tuple(name for name in known if name in names) or (default,)


def _methods(settings, given: GivenWorld | None) -> tuple[str, ...]:
    """Methods of conditional means that settings use."""
    return compiled_methods(
        (
            given.law if given else setting.get("dependence", "independent"),
            setting.get("noise_law", "gaussian"),
            setting.get("misalignment", PAPER_MISALIGNMENT),
        )
        for setting in settings
    )


def _shifted(evaluation, names: tuple[str, ...]) -> np.ndarray | None:
    if not evaluation.downstream:
        return None
    if len(names) < max(OUTCOMES.values()):
        raise ValueError(
            f"evaluation.downstream is True: allowed is False with {len(names)} semantics, since "
            f"outcomes depend on {max(OUTCOMES.values())}"
        )
    shifted = semantic_indices(evaluation.shifted, "evaluation.shifted", names)
    return np.isin(np.arange(1, len(names) + 1), shifted)
