import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import Split, gaussian_information, infonce, information, nwj
from probes.information import BATCH, MARGIN
from tests.built_encoders import ENCODERS, SHARED, column, draw, identity

FIT, TEST, NOISE = 4096, 2048, 0.5
OF_KEPT = 0.5 * np.log(1 + 1 / NOISE**2)  # of s + NOISE e and s
OF_BIASED = -0.5 * np.log(1 - SHARED**2 / (1 + NOISE**2))  # of s1 + NOISE e and s4
BOUNDS = [jax.jit(infonce), jax.jit(nwj)]


@pytest.fixture(autouse=True, scope="module")
def shorter():
    """Half the training suffices where little is told."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(information, "STEPS", 300)
        yield


def noisy(name):
    """Encodes latents after noise is added to them: any invertible encoder tells as much."""

    def encoder(key, s):
        return ENCODERS[name](key, s + NOISE * jax.random.normal(key, s.shape))

    return encoder


def bounds_of(bound, name, places, key):
    s, z = draw(key, noisy(name), FIT, TEST)
    return [float(bound(key, z, column(s, place)).nats) for place in places]


def test_the_exact_value_is_what_numpy_says(key):
    root = np.random.default_rng(3).normal(size=(5, 5))
    covariance = root @ root.T
    det = np.linalg.det
    exact = 0.5 * np.log(det(covariance[:2, :2]) * det(covariance[2:, 2:]) / det(covariance))
    measured = jax.jit(gaussian_information, static_argnums=1)(jnp.float32(covariance), 2)
    np.testing.assert_allclose(measured, exact, rtol=1e-3)
    np.testing.assert_allclose(gaussian_information(jnp.eye(3), 1), 0, atol=1e-6)


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("name", ["identity", "rotation", "warp"])
def test_an_invertible_map_changes_nothing(bound, name, key):
    (kept,) = bounds_of(bound, name, [2], key)
    assert OF_KEPT - 0.08 < kept < OF_KEPT + 0.04


@pytest.mark.parametrize("bound", BOUNDS)
def test_of_what_is_dropped_nothing_is_told_and_of_the_biased_what_its_cause_tells(bound, key):
    gone, biased = bounds_of(bound, "dropped", [2, 3], key)
    assert -0.04 < gone < 0.02
    assert OF_BIASED - 0.04 < biased < OF_BIASED + 0.04


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_leak_tells_more_and_noise_less_by_the_exact_amount(bound, key):
    for name, place in [("leaked", 3), ("entangled", 2)]:
        s, z = draw(key, noisy(name), FIT, TEST)
        rows = jnp.concatenate([z.fit, s.fit[:, place : place + 1]], axis=1)
        exact = gaussian_information(jnp.cov(rows.T), 3)
        assert exact > OF_BIASED + 0.05 if name == "leaked" else exact < OF_KEPT - 0.05
        np.testing.assert_allclose(bounds_of(bound, name, [place], key), exact, atol=0.08)


def test_where_all_is_told_infonce_says_that_it_is_saturated(key):
    s, z = draw(key, identity, FIT, TEST)
    nats, ceiling, saturated = BOUNDS[0](key, z, Split(*(part[:, :3] for part in s)))
    np.testing.assert_allclose(ceiling, np.log(BATCH), rtol=1e-6)
    assert ceiling - MARGIN < nats <= ceiling
    assert saturated
    little = BOUNDS[0](key, z, column(s, 3))
    assert not little.saturated


def test_nwj_has_a_higher_ceiling(key):
    s, z = draw(key, identity, FIT, TEST)
    nats, ceiling, _ = BOUNDS[1](key, z, column(s, 0))
    assert ceiling > np.log(BATCH)
    assert np.isfinite(nats)


def test_what_is_constant_tells_nothing(key):
    s, z = draw(key, identity, FIT, TEST)
    nothing = jax.tree.map(jnp.zeros_like, z)
    for bound in BOUNDS:
        assert abs(float(bound(key, nothing, column(s, 0)).nats)) < 0.03


def test_a_single_test_row_is_refused(key):
    s, z = draw(key, identity, FIT, 1)
    with pytest.raises(ValueError, match="there are 1 test rows: allowed is 2 or more"):
        nwj(key, z, column(s, 0))


def test_vmap_over_latents_agrees_with_each_alone(key):
    s, z = draw(key, noisy("identity"), FIT, TEST)
    columns = jax.tree.map(lambda part: part.T[2:, :, None], s)
    together = jax.jit(jax.vmap(infonce, in_axes=(None, None, 0)))(key, z, columns)
    alone = [BOUNDS[0](key, z, column(s, place)).nats for place in (2, 3)]
    np.testing.assert_allclose(together.nats, alone, atol=0.02)
