"""Scoring: what one trained lane kept, by every probe, on fresh pairs. Pure functions of a lane."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp

import lvm
import mmcl
import probes
from experiments.plan import LaneData, Plan
from experiments.training import LaneState, lane_keys, sampler

GLANCE = 4096  # pairs that a glance fits its probe on, and as many that it tests on


class Downstream(NamedTuple):
    """Scores of heads on image representations, and of the same on the true unbiased latents."""

    measured: probes.DownstreamScores
    attainable: probes.DownstreamScores


class LaneScores(NamedTuple):
    """All scores of one lane.

    probes: by the probe's name, of the modalities x and t in this order; mean_corr and linear_cka:
    float32 [] a modality, of the unbiased latents and the representation; downstream: None where
    the plan does not ask for it.
    """

    probes: dict[str, probes.Identifiability]
    mean_corr: mmcl.Modalities
    linear_cka: mmcl.Modalities
    downstream: Downstream | None


class Glance(NamedTuple):
    """Scores of the latents by ridge regression on few pairs, cheap enough to follow training."""

    x: probes.LatentScores
    t: probes.LatentScores


def score_lane(plan: Plan, lane: LaneData, state: LaneState) -> LaneScores:
    """Every score of one lane, on fresh pairs."""
    keys = jax.random.split(lane_keys(lane.seed).probe, 4)
    pairs, z, latents = _held_out(plan, lane, state, keys[0], keys[1], plan.fit, plan.test)
    unbiased = lvm.unbiased(lane.bias)
    both = probes.Split(*map(jnp.stack, z))
    score = lambda probe: probes.identifiability(
        keys[2], probe, both, latents, unbiased, lane.hyper.dimensions
    )
    resembles = lambda metric: jax.tree.map(
        lambda rows: metric(rows, latents.test.s, unbiased), z.test
    )
    asked = plan.shifted is not None
    return LaneScores(
        probes={name: score(probes.PROBES[name]) for name in plan.probes},
        mean_corr=resembles(probes.mean_corr),
        linear_cka=resembles(probes.linear_cka),
        downstream=_downstream(plan, lane, state, keys[3], pairs, z) if asked else None,
    )


def glance(plan: Plan, lane: LaneData, state: LaneState) -> Glance:
    """What one lane has kept so far."""
    key_fit, key_test = jax.random.split(lane_keys(lane.seed).glance)
    _, z, latents = _held_out(plan, lane, state, key_fit, key_test, GLANCE, GLANCE)
    of = lambda *parts: probes.latent_scores(key_fit, probes.ridge, probes.Split(*parts), latents)
    return Glance(of(z.fit.x, z.test.x), of(z.fit.t, z.test.t))


def _held_out(plan, lane, state, key_fit, key_test, fit, test):
    """Fresh pairs, their representations and their latents, to fit and to test on."""
    sample = sampler(state.world, lane)
    pairs = probes.Split(sample(key_fit, fit), sample(key_test, test))
    z = probes.Split(*(_encode(plan, lane, state, part) for part in pairs))
    latents = probes.Split(*(probes.Latents(part.s, part.m_x, part.m_t) for part in pairs))
    return pairs, z, latents


def _downstream(plan, lane, state, key, pairs, z) -> Downstream:
    key_pairs, key_heads = jax.random.split(key)
    reference = plan.spec.variant == "reference"
    shift = partial(
        lvm.heavy_tails, shifted=plan.shifted, outlier_probability=0.1 if reference else 0.0
    )
    shifted = sampler(state.world, lane, shift)(key_pairs, plan.test)
    s = probes.Environments(*(part.s for part in (*pairs, shifted)))
    images = probes.Environments(*(part.x for part in z), _encode(plan, lane, state, shifted).x)
    unbiased = lvm.unbiased(lane.bias)[None]
    truth = jax.tree.map(lambda part: jnp.where(unbiased, part, 0.0), s)
    score = partial(probes.downstream_scores, key_heads, s=s, variant=plan.spec.variant)
    return Downstream(score(images), score(truth))


def _encode(plan, lane, state, pairs) -> mmcl.Modalities:
    return mmcl.encode(plan.recipe, lane.hyper, state.train.params, state.train.stats, pairs)
