import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from experiments.audit.scores.rank_correlation import MIN_POINTS, rank_correlation

DRAWS = 2000


def correlate(x, y, strata=None, draws=DRAWS, seed=0):
    x, y = np.asarray(x, float), np.asarray(y, float)
    return rank_correlation(x, y, strata, rng=np.random.default_rng(seed), draws=draws)


def assert_undefined(result, n):
    assert np.isnan([*result[:4]]).all()
    assert result.n == n


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=MIN_POINTS, max_size=30))
def test_the_correlation_is_that_of_scipy_with_ties(points):
    x, y = np.array(points, float).T
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert_undefined(correlate(x, y, draws=2), len(x))
    else:
        assert correlate(x, y, draws=2).value == pytest.approx(spearmanr(x, y).statistic)


def test_any_increasing_function_has_correlation_1_and_the_least_p_value():
    x = np.arange(12.0)
    for y, value in ((np.exp(x), 1), (-(x**3), -1)):
        result = correlate(x, y)
        assert (result.value, result.low, result.high) == pytest.approx((value,) * 3)
        assert result.p_value == pytest.approx(1 / (DRAWS + 1))


def test_the_p_value_agrees_with_that_of_scipy():
    rng = np.random.default_rng(1)
    x = rng.normal(size=60)
    y = 0.3 * x + rng.normal(size=60)
    result = correlate(x, y, draws=10_000)
    assert 0.001 < result.p_value < 0.2
    assert result.p_value == pytest.approx(spearmanr(x, y).pvalue, rel=0.15)


def test_p_values_of_independent_variables_are_uniform():
    rng = np.random.default_rng(2)
    p_values = [
        correlate(rng.normal(size=20), rng.normal(size=20), draws=99).p_value for _ in range(300)
    ]
    assert np.mean(np.array(p_values) <= 0.1) == pytest.approx(0.1, abs=0.06)
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.06)


def test_the_interval_covers_the_true_correlation_about_19_times_in_20():
    rng = np.random.default_rng(3)
    pearson = 0.6
    spearman = 6 / np.pi * np.arcsin(pearson / 2)  # of a Gaussian
    covered = []
    for _ in range(200):
        x = rng.normal(size=80)
        y = pearson * x + np.sqrt(1 - pearson**2) * rng.normal(size=80)
        result = correlate(x, y, draws=300)
        covered.append(result.low <= spearman <= result.high)
    assert 0.88 <= np.mean(covered) <= 0.99


def test_differences_between_strata_do_not_count_within_them():
    rng = np.random.default_rng(4)
    strata = np.repeat([2, 0, 1], 30)
    x, y = rng.normal(size=(2, 90))
    shifted = correlate(x + 10 * strata, y + 10 * strata, strata)
    assert correlate(x + 10 * strata, y + 10 * strata).value > 0.8
    assert shifted == correlate(x, y, strata)
    assert abs(shifted.value) < 0.3
    assert shifted.p_value > 0.05
    assert correlate(x, x - 10 * strata, strata).value == pytest.approx(1)


def test_the_order_of_points_and_names_of_strata_do_not_matter():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, 20))
    strata, order = rng.integers(3, size=20), rng.permutation(20)
    value = correlate(x, y, strata).value
    assert correlate(x[order], y[order], strata[order] * 7).value == pytest.approx(value)


@pytest.mark.parametrize("n", range(MIN_POINTS))
def test_too_few_points_have_no_correlation(n):
    assert_undefined(correlate(np.arange(n), np.arange(n)), n)


def test_each_further_stratum_needs_a_further_point():
    strata = np.array([0, 0, 1, 1, 1])
    x = np.arange(5.0)
    assert correlate(x, x, strata).value == pytest.approx(1)
    assert_undefined(correlate(x[:4], x[:4], strata[:4]), 4)


def test_groups_of_one_point_have_no_differences_within():
    assert_undefined(correlate(np.arange(9), np.arange(9), np.arange(9)), 9)
