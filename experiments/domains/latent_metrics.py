"""Lane metrics: what one trained lane's representation tells of every latent, on fresh pairs."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import lvm
import mmcl
import probes
from experiments.domains.domain import LaneData, World
from experiments.sweep.lane import lane_keys
from experiments.sweep.plan import Plan
from probes.disentanglement import DCI
from probes.independence import Independence, residuals
from probes.information import Information

FIT, TEST = 8192, 1024  # pairs that probes and critics are fitted on, and that they are tested on
PURPOSE = 1  # folded into a lane's key of probes, so that pairs are others than those of results


class LaneMetrics(NamedTuple):
    """Of one representation; leaves of all but `dci` have an entry a target: s1, ..., m_x, m_t."""

    independence: Independence
    infonce: Information
    nwj: Information
    dci: DCI


def measure_lane(
    plan: Plan, modality: str, lane: LaneData, world: World, params, stats
) -> LaneMetrics:
    """All metrics of a lane's representation of one modality, on fresh pairs."""
    key = jax.random.fold_in(lane_keys(lane.seed).probe, PURPOSE)
    key_fit, key_test, key_probe = jax.random.split(key, 3)
    draw = partial(plan.domain.sample, (), world, lane)
    pairs = probes.Split(draw(key_fit, FIT), draw(key_test, TEST))
    encode = partial(mmcl.encode, params, stats, recipe=plan.recipes[0], hyper=lane.hyper)
    z = probes.Split(*(getattr(encode(part), modality) for part in pairs))
    targets = probes.Split(*(_by_target(part.s, part.m_x, part.m_t) for part in pairs))
    s = probes.Split(*(part.s for part in pairs))
    of_target = lambda bound: jax.vmap(bound, in_axes=(None, None, 0))(key_probe, z, targets)
    return LaneMetrics(
        _independence(key_probe, z, pairs, lvm.unbiased(lane.bias)),
        of_target(probes.infonce),
        of_target(probes.nwj),
        probes.dci(key_probe, probes.mlp, z, s, where=lvm.unbiased(lane.bias)),
    )


def _independence(key, z, pairs, unbiased) -> Independence:
    """Of every target: is what the unbiased semantics leave of it independent of what they leave
    of the representation?
    """
    key_probe, key_test = jax.random.split(key)
    given = probes.Split(*(jnp.where(unbiased[None], part.s, 0.0) for part in pairs))
    asked = probes.Split(
        *(
            jnp.concatenate([rows, part.s, part.m_x, part.m_t], axis=1)
            for rows, part in zip(z, pairs, strict=True)
        )
    )
    left = residuals(key_probe, probes.mlp, asked, given)
    widths = [part.shape[1] for part in (z.test, pairs.test.s, pairs.test.m_x)]
    of_z, *of_latents = jnp.split(left, np.cumsum(widths), axis=1)
    test = lambda target: probes.independence_test(key_test, of_z, target)
    return jax.lax.map(test, _by_target(*of_latents))


def _by_target(s, m_x, m_t):
    """[targets, n, width]: a semantic a target, then m_x and m_t; spare columns are 0."""
    parts = [*jnp.split(s, s.shape[1], axis=1), m_x, m_t]
    width = max(part.shape[1] for part in parts)
    return jnp.stack([jnp.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])
