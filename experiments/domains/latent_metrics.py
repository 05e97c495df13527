"""Latent metrics: independence, mutual information and DCI of one representation of a lane."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Key

import lvm
import probes
from experiments.domains.domain import TrainedLane
from experiments.domains.latents import LatentsDomain
from probes.disentanglement import DCI
from probes.independence import Independence, residuals
from probes.information import Information

FIT, TEST = 8192, 1024  # pairs that probes and critics are fitted on, and tested on


class MetricKeys(NamedTuple):
    """Keys of the metrics of a lane, one for each purpose."""

    fit_pairs: Key[Array, ""]
    test_pairs: Key[Array, ""]
    residuals: Key[Array, ""]
    independence: Key[Array, ""]
    infonce: Key[Array, ""]
    nwj: Key[Array, ""]
    dci: Key[Array, ""]


class LatentMetrics(NamedTuple):
    """Metrics of one representation.

    Leaves of all fields but `dci` have one entry per target: the semantics, m_x and m_t.
    """

    independence: Independence
    infonce: Information
    nwj: Information
    dci: DCI


def latent_metrics(
    key: Key[Array, ""], domain: LatentsDomain, trained: TrainedLane, modality: str
) -> LatentMetrics:
    """Returns all metrics of the representation of a modality, "x" or "t", on new pairs."""
    keys = MetricKeys(*jax.random.split(key, len(MetricKeys._fields)))
    unbiased = lvm.unbiased(trained.lane.bias)
    draw = partial(domain.sample, shared=(), world=trained.world, lane=trained.lane)
    pairs = probes.Split(draw(keys.fit_pairs, FIT), draw(keys.test_pairs, TEST))
    z = probes.Split(*(getattr(trained.encode(part), modality) for part in pairs))
    targets = probes.Split(*(_by_target(part.s, part.m_x, part.m_t) for part in pairs))
    s = probes.Split(*(part.s for part in pairs))
    per_target = lambda bound, key: jax.vmap(bound, in_axes=(0, None, 0))(
        jax.random.split(key, len(targets.fit)), z, targets
    )
    return LatentMetrics(
        _independence(keys, z, pairs, unbiased),
        per_target(probes.infonce, keys.infonce),
        per_target(probes.nwj, keys.nwj),
        probes.dci(keys.dci, probes.mlp, z, s, where=unbiased),
    )


def _independence(keys: MetricKeys, z, pairs, unbiased) -> Independence:
    """Tests every target for independence of the representation, given the unbiased semantics.

    Both are replaced by their residuals after regression on the unbiased semantics.
    """
    given = probes.Split(*(jnp.where(unbiased[None], part.s, 0.0) for part in pairs))
    regressed = probes.Split(
        *(
            jnp.concatenate([rows, part.s, part.m_x, part.m_t], axis=1)
            for rows, part in zip(z, pairs, strict=True)
        )
    )
    both = residuals(keys.residuals, probes.mlp, regressed, given)
    widths = [part.shape[1] for part in (z.test, pairs.test.s, pairs.test.m_x)]
    of_z, *of_latents = jnp.split(both, np.cumsum(widths), axis=1)
    targets = _by_target(*of_latents)
    test_keys = jax.random.split(keys.independence, len(targets))
    test = lambda one: probes.independence_test(one[0], of_z, one[1])
    return jax.lax.map(test, (test_keys, targets))


def _by_target(s, m_x, m_t):
    """Targets [targets, n, width]: each semantic, m_x and m_t; spare columns are 0."""
    parts = [*jnp.split(s, s.shape[1], axis=1), m_x, m_t]
    width = max(part.shape[1] for part in parts)
    return jnp.stack([jnp.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in parts])
