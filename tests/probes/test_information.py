import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import Split, gaussian_information, infonce, information, nwj
from probes.information import BATCH, MARGIN
from tests.built_encoders import CORRELATION, ENCODERS, column, draw, identity
from tests.optimised import OPTIMISED

FIT, TEST, NOISE = 4096, 2048, 0.5
OF_KEPT = 0.5 * np.log(1 + 1 / NOISE**2)  # nats, of s + NOISE e and s
OF_BIASED = -0.5 * np.log(1 - CORRELATION**2 / (1 + NOISE**2))  # nats, of s1 + NOISE e and s4
BOUNDS = [jax.jit(bound, compiler_options=OPTIMISED) for bound in (infonce, nwj)]


@pytest.fixture(autouse=True, scope="module")
def shorter_training():
    """Half the steps suffice for low mutual information."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(information, "STEPS", 300)
        yield


def noisy(name):
    """An encoder of noisy latents; invertible ones have the same mutual information."""

    def encoder(key, s):
        return ENCODERS[name](key, s + NOISE * jax.random.normal(key, s.shape))

    return encoder


def bounds_of(bound, name, indices, key):
    s, z = draw(key, noisy(name), FIT, TEST)
    return [float(bound(key, z, column(s, index)).nats) for index in indices]


def test_gaussian_information_agrees_with_numpy(key):
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
def test_a_dropped_latent_has_no_information_and_a_biased_one_that_of_s1(bound, key):
    dropped, biased = bounds_of(bound, "dropped", [2, 3], key)
    assert -0.04 < dropped < 0.02
    assert OF_BIASED - 0.04 < biased < OF_BIASED + 0.04


@pytest.mark.parametrize("bound", BOUNDS)
def test_a_leak_adds_and_noise_removes_the_exact_information(bound, key):
    for name, index in [("leaked", 3), ("entangled", 2)]:
        s, z = draw(key, noisy(name), FIT, TEST)
        rows = jnp.concatenate([z.fit, column(s, index).fit], axis=1)
        exact = gaussian_information(jnp.cov(rows.T), 3)
        assert exact > OF_BIASED + 0.05 if name == "leaked" else exact < OF_KEPT - 0.05
        np.testing.assert_allclose(bounds_of(bound, name, [index], key), exact, atol=0.08)


def gaussian_pairs(key, nats):
    """Five pairs of correlated Gaussian variables, with that mutual information in all."""
    correlation = (1 - np.exp(-2 * nats / 5)) ** 0.5

    def pair(key, count):
        s, noise = jax.random.normal(key, (2, count, 5))
        return correlation * s + (1 - correlation**2) ** 0.5 * noise, s

    keys = jax.random.split(key, 3)
    return keys[2], *map(Split, pair(keys[0], 8192), pair(keys[1], 1024))


@pytest.fixture
def full_training(monkeypatch):
    monkeypatch.setattr(information, "STEPS", 600)


@pytest.mark.usefixtures("full_training")
def test_infonce_of_identical_variables_is_flagged_as_saturated(key):
    nats, ceiling, saturated = BOUNDS[0](*gaussian_pairs(key, np.inf))
    np.testing.assert_allclose(ceiling, np.log(BATCH), rtol=1e-6)
    assert ceiling - MARGIN < nats <= ceiling
    assert saturated


@pytest.mark.parametrize("bound", BOUNDS)
@pytest.mark.parametrize("nats, saturated", [(2.75, False), (4.15, True), (6.0, True)])
@pytest.mark.usefixtures("full_training")
def test_a_bound_that_is_not_flagged_is_close_to_the_exact_information(bound, nats, saturated, key):
    result = bound(*gaussian_pairs(key, nats))
    assert result.saturated == saturated
    assert saturated or abs(result.nats - nats) < 0.3


def test_nwj_has_a_higher_ceiling(key):
    s, z = draw(key, identity, FIT, TEST)
    nats, ceiling, _ = BOUNDS[1](key, z, column(s, 0))
    assert ceiling > np.log(BATCH)
    assert np.isfinite(nats)


def test_vmap_over_latents_agrees_with_single_latents(key):
    s, z = draw(key, noisy("identity"), FIT, TEST)
    columns = jax.tree.map(lambda part: part.T[2:, :, None], s)
    together = jax.jit(jax.vmap(infonce, in_axes=(None, None, 0)))(key, z, columns)
    single = [BOUNDS[0](key, z, column(s, index)).nats for index in (2, 3)]
    np.testing.assert_allclose(together.nats, single, atol=0.02)
