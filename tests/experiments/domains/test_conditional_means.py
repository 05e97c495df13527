"""The method of a lane's conditional means, and the means of mixed sweeps."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
import probes
from experiments.configs import default
from experiments.domains.conditional_means import compiled_methods, conditional_means, method_of
from experiments.sweep.plan import make_plan
from lvm.latents.semantics import sample_semantics
from tests.small import small_config

LANES = (
    ("dependent", "gaussian", "noise"),
    ("nonlinear_scm", "gaussian", "mcar"),
    ("nonlinear_scm", "laplace", "noise"),
    ("dependent", "gaussian", "propagating"),
)
INDEPENDENT = ("independent", "laplace", "noise")  # its means are 0 under any noise law
METHODS = ("closed form", "Monte Carlo", "boosting", "boosting")


@pytest.mark.parametrize(("lane", "method"), list(zip(LANES, METHODS, strict=True)))
def test_the_method_of_a_law(lane, method):
    assert method_of(*INDEPENDENT) == "closed form"
    assert method_of(*lane) == method
    assert compiled_methods([lane]) == (method,)


@pytest.mark.parametrize("index", [0, 1, 3])
def test_a_lane_in_a_mixed_sweep_uses_its_own_method(index, key):
    """Means of s2 and s3 from s1, for a law that the lane's dependence draws."""
    dependences = [lane[0] for lane in LANES]
    settings = tuple(
        default.setting("s1 s2", "s2", dependence=d, noise_law=n, misalignment=m)
        for d, n, m in LANES
    )
    plan = make_plan(small_config(settings=settings))
    lane = jax.tree.map(lambda leaf: jnp.asarray(leaf[index]), plan.data)
    law = lvm.init_world(key, plan.domain.spec, dependences[index]).semantics
    s = probes.Split(*(sample_semantics(key, law, 256) for key in jax.random.split(key)))
    measured = conditional_means(key, lane, law, s, compiled=plan.domain.compiled_methods)
    np.testing.assert_array_equal(measured.test[:, 0], s.test[:, 0])
    if METHODS[index] != "boosting":
        expected = lvm.conditional_means(
            key, law, jnp.concatenate(s), jnp.array([True, False, False])
        )
        np.testing.assert_allclose(jnp.concatenate(measured), expected, rtol=1e-4, atol=1e-4)
    else:
        exact = lvm.conditional_means(key, law, s.test, jnp.array([True, False, False]))
        assert np.abs(measured.test - exact).mean() < 0.3 * np.std(s.test)
