"""Latent scores: what one trained lane kept, by every probe, on fresh pairs."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

import lvm
import mmcl
import probes
from experiments.domains.domain import Trained
from lvm.latents.switch import switch_by_name
from probes.downstream import DownstreamScores
from probes.identifiability import Identifiability, LatentScores

GLANCE = 4096  # pairs that a glance fits its probe on, and as many that it tests on


class Law(NamedTuple):
    """A joint law of the semantics: its name in `lvm.DEPENDENCES`, and of the noise they come of.

    noise: a name in `lvm.NOISE_LAWS`.
    """

    dependence: str
    noise: str


LAWS = {  # by name, in the order of the numbers that `LaneData.dependence` holds
    dependence if noise == "gaussian" else f"{dependence}_{noise}": Law(dependence, noise)
    for noise in lvm.NOISE_LAWS
    for dependence in lvm.DEPENDENCES
}


class Sampling(NamedTuple):
    """What the lanes of a study draw pairs by, all static.

    telling: how captions are made; noise_laws: names in `lvm.NOISE_LAWS` that their laws need.
    """

    telling: lvm.MisalignmentSpec
    noise_laws: tuple[str, ...]


class Evaluation(NamedTuple):
    """What is asked of a lane, all static.

    fit and test: pairs that a probe is fitted and tested on; probes: their names; shifted: bool
    [n], the semantics that shift in downstream tasks, None to leave these out; variant: of the
    laws, as in `lvm.WorldSpec`; sampling: of pairs.
    """

    fit: int
    test: int
    probes: tuple[str, ...]
    shifted: np.ndarray | None
    variant: str
    sampling: Sampling


class Downstream(NamedTuple):
    """Scores of heads on image representations, and of the same on the true unbiased latents."""

    measured: DownstreamScores
    attainable: DownstreamScores


class LatentLaneScores(NamedTuple):
    """All scores of one lane.

    probes: by the probe's name, of the modalities x and t in this order; mean_corr and linear_cka:
    float32 [] a modality, of the unbiased latents and the representation; downstream: None where
    it is not asked for.
    """

    probes: dict[str, Identifiability]
    mean_corr: mmcl.Modalities
    linear_cka: mmcl.Modalities
    downstream: Downstream | None


class Glance(NamedTuple):
    """Scores of the latents by ridge regression on few pairs."""

    x: LatentScores
    t: LatentScores


def score_latents(evaluation: Evaluation, trained: Trained, key) -> LatentLaneScores:
    """Every score of one lane, on fresh pairs."""
    keys, lane = jax.random.split(key, 4), trained.lane
    pairs, z, latents = _held_out(
        evaluation.sampling, trained, keys[0], keys[1], evaluation.fit, evaluation.test
    )
    unbiased = lvm.unbiased(lane.bias)
    both = probes.Split(*map(jnp.stack, z))
    score = lambda probe: probes.identifiability_scores(
        keys[2], probe, both, latents, unbiased=unbiased, dimensions=lane.hyper.dimensions
    )
    resembles = lambda metric: jax.tree.map(
        lambda rows: metric(rows, latents.test.s, unbiased), z.test
    )
    asked = evaluation.shifted is not None
    return LatentLaneScores(
        probes={name: score(probes.PROBES[name]) for name in evaluation.probes},
        mean_corr=resembles(probes.mean_corr),
        linear_cka=resembles(probes.linear_cka),
        downstream=_downstream(evaluation, trained, keys[3], pairs, z) if asked else None,
    )


def glance_latents(sampling: Sampling, trained: Trained, key) -> Glance:
    """What one lane has kept so far."""
    key_fit, key_test = jax.random.split(key)
    _, z, latents = _held_out(sampling, trained, key_fit, key_test, GLANCE, GLANCE)
    of = lambda *parts: probes.latent_scores(key_fit, probes.ridge, probes.Split(*parts), latents)
    return Glance(of(z.fit.x, z.test.x), of(z.fit.t, z.test.t))


def _held_out(sampling, trained, key_fit, key_test, fit, test):
    """Fresh pairs, their representations and their latents, to fit and to test on."""
    draw = partial(draw_pairs, sampling, trained.world, trained.lane)
    pairs = probes.Split(draw(key_fit, fit), draw(key_test, test))
    z = probes.Split(*map(trained.encode, pairs))
    latents = probes.Split(*(probes.Latents(part.s, part.m_x, part.m_t) for part in pairs))
    return pairs, z, latents


def _downstream(evaluation, trained, key, pairs, z) -> Downstream:
    key_pairs, key_heads = jax.random.split(key)
    reference = evaluation.variant == "reference"
    shift = partial(
        lvm.heavy_tails, shifted=evaluation.shifted, outlier_probability=0.1 if reference else 0.0
    )
    draw = partial(draw_pairs, evaluation.sampling, trained.world, trained.lane)
    shifted = draw(key_pairs, evaluation.test, shift)
    s = probes.Environments(*(part.s for part in (*pairs, shifted)))
    images = probes.Environments(*(part.x for part in z), trained.encode(shifted).x)
    unbiased = lvm.unbiased(trained.lane.bias)[None]
    truth = jax.tree.map(lambda part: jnp.where(unbiased, part, 0.0), s)
    score = partial(probes.downstream_scores, key_heads, s=s, variant=evaluation.variant)
    return Downstream(score(images), score(truth))


def halves(law: Int[Array, ""]) -> tuple[Int[Array, ""], Int[Array, ""]]:
    """The places in `lvm.DEPENDENCES` and `lvm.NOISE_LAWS` of a law with this place in LAWS."""
    return law % len(lvm.DEPENDENCES), law // len(lvm.DEPENDENCES)


def draw_pairs(sampling: Sampling, world, lane, key, count, shift=None) -> lvm.Pairs:
    """Pairs of a lane; `shift` as in `lvm.sample_pairs`."""
    place = halves(lane.dependence)[1]
    return lvm.sample_pairs(
        key,
        world,
        lane.bias,
        lane.noise_probability,
        count,
        shift,
        sampling.telling,
        lane.misalignment,
        partial(switch_by_name, lvm.NOISE_LAWS, sampling.noise_laws, place),
    )
