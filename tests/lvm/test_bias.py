import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import lvm


def first(k):
    return list(range(1, k + 1))


def test_numbers_match_table_2_of_the_paper():
    numbers = [1, 11, 56, 176, 386, 638, 848, 968, 1013, 1023]
    for k, theta in enumerate(numbers, 1):
        bias = lvm.bias_from_numbers(10, theta)
        np.testing.assert_array_equal(bias.selected, np.arange(10) < k)
        assert lvm.numbers_of(bias) == (theta, 1)


def test_numbers_match_table_3_of_the_paper():
    numbers = [1, 2, 12, 57, 177, 387, 639, 849, 969, 1014]
    for k, rho in enumerate(numbers):
        bias = lvm.bias_from_numbers(10, 1023, rho)
        np.testing.assert_array_equal(bias.perturbable, np.arange(10) < k)
        np.testing.assert_array_equal(lvm.unbiased(bias), np.arange(10) >= k)
        assert lvm.numbers_of(bias) == (1023, rho)


def test_reference_numbers_begin_at_theta_0_and_rho_minus_1():
    smallest = lvm.bias_from_numbers(10, 0, variant="reference")
    np.testing.assert_array_equal(smallest, lvm.bias_from_numbers(10, 1))
    bias = lvm.bias_from_numbers(10, 1022, 55, variant="reference")
    np.testing.assert_array_equal(bias, lvm.bias_from_numbers(10, 1023, 57))
    assert lvm.numbers_of(smallest, "reference") == (0, -1)
    assert lvm.numbers_of(bias, "reference") == (1022, 55)
    with pytest.raises(ValueError, match="variant is 'theirs': allowed is one of paper, reference"):
        lvm.numbers_of(smallest, "theirs")
    with pytest.raises(ValueError, match=r"rho is -2: allowed is -1..1021 for 10 selected"):
        lvm.bias_from_numbers(10, 1022, -2, variant="reference")


def test_numbers_follow_graded_lexicographic_order():
    n = 4
    subsets = [s for k in range(n + 1) for s in itertools.combinations(first(n), k)]
    for theta, selected in enumerate(subsets[1:], 1):
        within = [s for k in range(len(selected)) for s in itertools.combinations(selected, k)]
        for rho, perturbable in enumerate(within, 1):
            expected = lvm.bias_from_indices(n, selected, perturbable)
            measured = lvm.bias_from_numbers(n, theta, rho)
            np.testing.assert_array_equal(measured, expected)


@given(st.integers(1, 14).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, 2**n - 1))))
def test_numbers_round_trip(n_and_theta):
    n, theta = n_and_theta
    last = 2 ** int(lvm.bias_from_numbers(n, theta).selected.sum()) - 1
    for rho in {1, (1 + last) // 2, last}:
        assert lvm.numbers_of(lvm.bias_from_numbers(n, theta, rho)) == (theta, rho)


@pytest.mark.parametrize(
    ("selected", "perturbable", "message"),
    [
        ([], [], "selected is empty: select at least one of 1..3"),
        ([1, 2], [3], r"perturbable \[3\] is not selected: choose from \[1, 2\]"),
        ([1, 2], [1, 2], "perturbable equals selected: allowed is a proper subset"),
        ([0], [], "selected holds 0: allowed is 1..3"),
        ([4], [], "selected holds 4: allowed is 1..3"),
        ([1], [-1], "perturbable holds -1: allowed is 1..3"),
    ],
)
def test_invalid_index_sets_are_refused(selected, perturbable, message):
    with pytest.raises(ValueError, match=message):
        lvm.bias_from_indices(3, selected, perturbable)


@pytest.mark.parametrize(
    ("theta", "rho", "message"),
    [
        (0, 1, "theta is 0: allowed is 1..7"),
        (8, 1, "theta is 8: allowed is 1..7"),
        (7, 0, "rho is 0: allowed is 1..7"),
        (4, 4, "rho is 4: allowed is 1..3 for 2 selected"),
    ],
)
def test_numbers_out_of_range_are_refused(theta, rho, message):
    with pytest.raises(ValueError, match=message):
        lvm.bias_from_numbers(3, theta, rho)
