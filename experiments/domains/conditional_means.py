"""Conditional means: E[s | s_I] of a lane of latents, which attainable scores are computed from."""

from collections.abc import Iterable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key

import lvm
import probes
from experiments.domains.domain import LaneData
from experiments.domains.given_world import GIVEN, GIVEN_NONLINEAR
from experiments.rundir.results import BOOSTING, CLOSED_FORM, MONTE_CARLO
from lvm.categories import number_categories
from lvm.latents.conditional import gaussian_means, simulated_means
from lvm.latents.misalignment import CHANGES_SCENE, signs_of
from lvm.latents.semantics import LINEAR
from lvm.latents.switch import switch_by_name
from probes.predictors.boosted_trees import boosting

INDEPENDENT = "independent"


def dependences() -> tuple[str, ...]:
    """Returns the names of the joint laws of lanes of latents, those of given worlds last."""
    return (*lvm.DEPENDENCES, GIVEN, GIVEN_NONLINEAR)


def method_of(dependence: str, noise_law: str, misalignment: str) -> str:
    """Returns how E[s | s_I] is computed: "closed form", "Monte Carlo" or "boosting".

    The last one is a regression, so its R² is a lower bound of what is attainable. It serves the
    laws whose conditional distribution is not known: exogenous noise that is not Gaussian, and
    images that show the distortions of captions.
    """
    if dependence == INDEPENDENT and misalignment not in CHANGES_SCENE:
        return CLOSED_FORM
    if noise_law != "gaussian" or misalignment in CHANGES_SCENE:
        return BOOSTING
    return CLOSED_FORM if dependence in (*LINEAR, GIVEN) else MONTE_CARLO


def conditional_means(
    key: Key[Array, ""],
    lane: LaneData,
    law: lvm.Semantics,
    s: probes.Split,
    *,
    compiled: tuple[str, ...],
) -> probes.Split:
    """Returns E[s | s_I] of semantics [n, n_s], to fit and to test on, by the method of the lane.

    `compiled` (static) names the methods that the lanes of a sweep use.
    """
    table = {
        CLOSED_FORM: partial(_by_law, partial(gaussian_means, law)),
        MONTE_CARLO: partial(_by_law, partial(simulated_means, key, law)),
        BOOSTING: partial(_by_boosting, key),
    }
    return switch_by_name(table, compiled, _method_index(lane, list(table)), lane.bias, s)


def category_r2(bias: lvm.Bias, s: probes.Split) -> Float[Array, " n_s"]:
    """Returns the R² of each semantic from the signs of the unbiased ones: float32 [n_s].

    E[s | signs] is the mean of the rows to fit with the same signs, of all rows if there is none.
    """
    fit, test = jnp.split(
        number_categories(signs_of(jnp.concatenate(s), lvm.unbiased(bias))), [len(s.fit)]
    )
    total = partial(jax.ops.segment_sum, segment_ids=fit, num_segments=len(fit) + len(test))
    size = total(jnp.ones_like(s.fit))
    means = jnp.where(size > 0, total(s.fit) / jnp.maximum(size, 1), s.fit.mean(0, keepdims=True))
    return probes.r2(s.test, means[test])


def compiled_methods(lanes: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    """Returns the methods of lanes given by dependence, noise law and misalignment."""
    used = {method_of(*lane) for lane in lanes}
    return tuple(name for name in (CLOSED_FORM, MONTE_CARLO, BOOSTING) if name in used)


def _method_index(lane: LaneData, names: list[str]) -> Int[Array, ""]:
    index = np.array(
        [
            [
                [names.index(method_of(dependence, law, kind)) for kind in lvm.MISALIGNMENTS]
                for law in lvm.NOISE_LAWS
            ]
            for dependence in dependences()
        ]
    )
    return jnp.asarray(index)[lane.dependence, lane.noise_law, lane.misalignment]


def _by_law(means, bias: lvm.Bias, s: probes.Split) -> probes.Split:
    return _split(means(jnp.concatenate(s), lvm.unbiased(bias)), s)


def _by_boosting(key, bias: lvm.Bias, s: probes.Split) -> probes.Split:
    unbiased = lvm.unbiased(bias)[None]
    known = probes.Split(*(jnp.where(unbiased, part, 0.0) for part in s))
    predicted = boosting(key, known.fit, s.fit, jnp.concatenate(known))
    return _split(jnp.where(unbiased, jnp.concatenate(s), predicted), s)


def _split(rows: Float[Array, "n n_s"], s: probes.Split) -> probes.Split:
    return probes.Split(rows[: len(s.fit)], rows[len(s.fit) :])
