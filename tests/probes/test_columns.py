import jax.numpy as jnp
import numpy as np
import pytest

from probes import PROBES, linear_cka, mean_corr, r2
from probes.columns import at_unit_magnitude, centre, centres, deviations, varying
from probes.predictors.regression import standardize


@pytest.fixture
def rows():
    return jnp.asarray(np.random.default_rng(0).normal(size=(4000, 3)), jnp.float32)


def test_a_column_is_constant_relative_to_its_own_magnitude(rows):
    constant = np.full((4000, 1), 0.3, np.float32)
    last_place = np.nextafter(constant, np.float32(1))
    rounded = np.where(rows[:, :1] > 0, constant, last_place)
    small = np.where(rows[:, :1] > 0, np.float32(0), np.float32(1e-20))
    columns = np.concatenate([rows, 1e7 * rows, constant, rounded, small, constant * 0], axis=1)
    np.testing.assert_array_equal(
        varying(jnp.asarray(columns)), [True] * 6 + [False, False, True, False]
    )
    np.testing.assert_array_equal(varying(rows * jnp.array([[1, jnp.nan, jnp.inf]])), True)


@pytest.mark.parametrize("scale", [1e-25, 1e-12, 1.0, 1e12, 1e25])
def test_moments_agree_with_float64(scale, rows):
    rows = rows * np.float32(scale)
    exact = np.asarray(rows, np.float64)
    np.testing.assert_allclose(deviations(rows), exact.std(0), rtol=1e-5)
    np.testing.assert_allclose(centres(rows), exact.mean(0), atol=1e-6 * scale)
    np.testing.assert_allclose(np.abs(at_unit_magnitude(rows)).max(), 1, rtol=1e-6)


@pytest.mark.parametrize("offset", [0.0, -1e3, 1e5])
def test_standardised_rows_agree_with_float64(offset, rows):
    rows = rows + np.float32(offset)
    exact = np.asarray(rows, np.float64)
    expected = (exact - exact.mean(0)) / exact.std(0)
    measured, queries = standardize(rows, rows[:7])
    np.testing.assert_allclose(measured, expected, atol=1e-5)
    np.testing.assert_allclose(queries, expected[:7], atol=1e-5)
    np.testing.assert_allclose(centre(rows), exact - exact.mean(0), atol=1e-5)


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("scales", [(1, 1, 1e7), (1e-12, 1, 1e12)])
def test_a_column_of_another_scale_changes_no_score(name, scales, rows, key):
    z = rows[:800] * jnp.array(scales, jnp.float32)[None]
    predicted = PROBES[name](key, z[:400], rows[:400], z[400:])
    np.testing.assert_allclose(r2(rows[400:800], predicted), 1, atol=0.02)
    np.testing.assert_allclose(mean_corr(z, rows[:800], jnp.ones(3, bool)), 1, atol=1e-5)


def test_r2_at_a_large_offset_agrees_with_float64(rows):
    targets = rows + np.float32(1e5)
    predictions = targets + 0.5 * rows[:, ::-1]
    a, b = np.asarray(targets, np.float64), np.asarray(predictions, np.float64)
    expected = 1 - ((a - b) ** 2).sum(0) / ((a - a.mean(0)) ** 2).sum(0)
    np.testing.assert_allclose(r2(targets, predictions), expected, atol=1e-5)


def test_linear_cka_is_invariant_to_the_scale_of_all_columns(rows):
    latents, ones = rows[:, :2] ** 2 + rows[:, :2], jnp.ones(2, bool)
    expected = linear_cka(rows, latents, ones)
    for scale in (1e-18, 1e18):
        scaled = linear_cka(rows * np.float32(scale), latents, ones)
        np.testing.assert_allclose(scaled, expected, rtol=1e-5)


@pytest.mark.parametrize("row", [0, 5, 19_999])
def test_nan_is_found_among_many_rows(row):
    """On CPUs, the largest of so many numbers is without NaN among them."""
    columns = np.random.default_rng(1).normal(size=(20_000, 3)).astype(np.float32)
    clean = jnp.asarray(columns)
    damaged = clean.at[row, 1].set(jnp.nan)
    affected = [False, True, False]
    np.testing.assert_array_equal(np.isnan(r2(damaged, clean)), affected)
    np.testing.assert_array_equal(np.isnan(r2(clean, damaged)), affected)
    np.testing.assert_array_equal(np.isnan(deviations(damaged)), affected)
    for metric in (mean_corr, linear_cka):
        assert np.isnan(metric(damaged, clean, jnp.ones(3, bool)))
        assert np.isnan(metric(clean, damaged, jnp.ones(3, bool)))
        assert np.isfinite(metric(clean, damaged, jnp.array([True, False, True])))
    constant = jnp.full((20_000, 1), 0.3).at[row].set(jnp.nan)
    assert np.isnan(r2(constant, constant))


def test_nan_in_one_feature_makes_mean_corr_nan():
    features = jnp.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, jnp.nan]])
    latents = jnp.array([[1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [4.0, 2.0]])
    assert np.isnan(mean_corr(features, latents, jnp.ones(2, bool)))
