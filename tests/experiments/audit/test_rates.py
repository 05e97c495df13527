import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from experiments.audit.concepts import make_concepts
from experiments.audit.counting import count
from experiments.audit.expectation import BETWEEN, KEPT, LOST, expected
from experiments.audit.rates import Rate, chance_rates, compute_rates, wilson

VALUES = ("red", "green", "blue", "grey")
CONCEPTS = make_concepts([("colour", name, [name]) for name in VALUES] + [("size", "big", ["big"])])


@pytest.mark.parametrize(
    ("number", "total"), [(0, 10), (5, 10), (10, 10), (1, 1), (200, 10_000), (1, 10**7)]
)
def test_intervals_equal_those_of_scipy(number, total):
    scipy_interval = binomtest(number, total).proportion_ci(method="wilson")
    assert wilson(number, total) == pytest.approx(
        (number / total, *scipy_interval), rel=1e-5, abs=1e-12
    )


@pytest.mark.parametrize("total", [1, 7, 1000, 10**8])
def test_an_interval_ends_at_0_or_1_only_for_none_or_all(total):
    for number in {0, 1, total // 2, total - 1, total}:
        rate = wilson(number, total)
        assert (rate.low == 0, rate.high == 1) == (number == 0, number == total)
        assert rate.low <= rate.value <= rate.high
        other = wilson(total - number, total)
        assert (1 - other.value, 1 - other.high, 1 - other.low) == pytest.approx(rate, abs=1e-12)


@pytest.mark.parametrize("probability", [0.02, 0.1, 0.5, 0.93])
def test_intervals_cover_the_true_probability_19_times_in_20(probability):
    total = 400
    numbers = np.arange(total + 1)
    intervals = [wilson(number, total) for number in numbers]
    covered = [interval.low <= probability <= interval.high for interval in intervals]
    assert binom.pmf(numbers, total, probability)[covered].sum() == pytest.approx(0.95, abs=0.02)


def test_no_captions_are_refused():
    with pytest.raises(ValueError, match="total is 0: allowed is 1 or more"):
        wilson(0, 0)
    with pytest.raises(ValueError, match="there is no caption to audit"):
        compute_rates(CONCEPTS, count(CONCEPTS, ["", " "]))


def captions_of(values):
    return [f"a {VALUES[value]} car" for value in values]


def labels_of(values):
    return np.stack([values, np.full(len(values), -1)], 1)


def test_rates_by_hand():
    captions = ["red", "red car", "a car", "green", "big blue", "grey and red", "", "x", "x", "x"]
    labels = labels_of(np.array([0, 1, 1, 1, -1, 0, 0, 0, 0, 0]))
    colour, size = compute_rates(CONCEPTS, count(CONCEPTS, captions, labels))
    assert (colour.group, size.group) == ("colour", "size")
    assert (colour.mentioned, colour.labelled, colour.compared) == (5, 8, 4)
    assert (colour.wrong, colour.mixed) == (1, 1)
    assert colour.selection == wilson(5, 9)
    assert colour.perturbation == wilson(1, 4)
    assert colour.most_mentioned == (("red", 3), ("green", 1), ("blue", 1), ("grey", 1))
    assert (size.mentioned, size.compared, size.perturbation) == (1, 0, None)
    assert math.isnan(size.chance)


def test_chance_rate_is_the_mean_over_all_shifts_of_the_labels():
    rng = np.random.default_rng(0)
    values = rng.choice(4, 60, p=[0.5, 0.3, 0.15, 0.05])
    labels = rng.choice(4, 60, p=[0.1, 0.3, 0.2, 0.4])
    captions = captions_of(values)
    captions[:5] = [caption + " and red" for caption in captions[:5]]
    shifted = [count(CONCEPTS, captions, labels_of(np.roll(labels, shift))) for shift in range(60)]
    mean = np.mean([counts.wrong[0] / counts.compared[0] for counts in shifted])
    for counts in shifted[:3]:
        assert chance_rates(CONCEPTS, counts)[0] == pytest.approx(mean)


@pytest.mark.parametrize(
    ("redrawn", "outcome"), [(0.0, KEPT), (0.3, BETWEEN), (0.9, BETWEEN), (1.0, LOST)]
)
def test_perturbation_rate_of_redrawn_values(redrawn, outcome):
    rng = np.random.default_rng(1)
    truth = rng.integers(4, size=8000)
    mentioned = np.where(rng.random(8000) < redrawn, rng.integers(4, size=8000), truth)
    colour, _ = compute_rates(CONCEPTS, count(CONCEPTS, captions_of(mentioned), labels_of(truth)))
    assert colour.perturbation.low <= 0.75 * redrawn <= colour.perturbation.high
    assert colour.chance == pytest.approx(0.75, abs=0.01)
    assert expected(colour.selection, colour.perturbation, colour.chance) == outcome


ALL, NEVER, SOME = wilson(900, 900), wilson(0, 900), wilson(300, 900)


@pytest.mark.parametrize(
    ("selection", "perturbation", "chance", "outcome"),
    [
        (ALL, None, math.nan, KEPT),
        (ALL, NEVER, 0.75, KEPT),
        (ALL, wilson(1, 900), 0.75, BETWEEN),
        (ALL, wilson(675, 900), 0.75, LOST),
        (ALL, wilson(850, 900), 0.75, BETWEEN),  # wrong more often than by chance, so informative
        (ALL, wilson(0, 2), 0.5, BETWEEN),  # two labels are too few
        (ALL, wilson(2, 6), 0.45, BETWEEN),  # six as well
        (ALL, NEVER, 0.0, BETWEEN),  # one value only: correct by chance
        (NEVER, None, math.nan, LOST),
        (wilson(899, 900), None, math.nan, BETWEEN),
        (wilson(1, 900), wilson(0, 1), 0.0, BETWEEN),
        (SOME, NEVER, 0.75, BETWEEN),
        (SOME, wilson(225, 300), 0.75, LOST),
    ],
)
def test_expected_outcome(selection, perturbation, chance, outcome):
    assert expected(selection, perturbation, chance) == outcome


def test_fields_of_a_rate():
    assert wilson(1, 4)._fields == Rate._fields == ("value", "low", "high")
