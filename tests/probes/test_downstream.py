import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from probes import Environments, downstream_scores, outcomes
from probes.downstream import _two_means
from probes.predictors.classification import mlp_binary

SHIFTED = np.arange(10) >= 8


def outcome(s, weight):
    """The formula of the paper's appendix, term by term, without power sums."""
    pairs = sum(a * b for a, b in itertools.combinations(s, 2))
    triples = sum(a * b * c for a, b, c in itertools.combinations(s, 3))
    periodic = sum(np.sin(a) + np.cos(a) for a in s)
    of_size = sum(0.4 * np.log(1 + abs(a)) + weight * np.exp(-abs(a)) for a in s)
    powers = sum(a**2 + 0.3 * a**3 for a in s)
    return powers + 0.5 * pairs + 0.2 * triples + 0.7 * periodic + of_size


@pytest.mark.parametrize("weight", [0.4, 0.6])
def test_outcomes_follow_the_formula(weight, key):
    s = jax.random.normal(key, (5, 10))
    expected = [
        [outcome(np.asarray(row[:size], np.float64), weight) for size in (3, 5, 7, 9)] for row in s
    ]
    np.testing.assert_allclose(jax.jit(outcomes, static_argnums=1)(s, weight), expected, rtol=1e-4)


def test_heavy_tails(key):
    s = jax.random.normal(key, (1000, 10))
    heavy_tails = jax.jit(lvm.heavy_tails, static_argnums=3)
    shifted = heavy_tails(key, s, SHIFTED, 0.0)
    np.testing.assert_array_equal(shifted[:, :8], s[:, :8])
    np.testing.assert_allclose(shifted[:, 8:], 2 * np.sign(s[:, 8:]) * s[:, 8:] ** 2)
    outliers = np.abs(heavy_tails(key, s, SHIFTED, 0.1) - shifted)
    np.testing.assert_allclose(np.unique(np.round(outliers, 3)), [0, 10])
    np.testing.assert_allclose((outliers[:, 8:] > 1).mean(), 0.1, atol=0.03)


def test_two_means_separate_two_clusters(key):
    low, high = jax.random.normal(key, (2, 500))
    threshold = _two_means(jnp.concatenate([low, low, low, high + 20]))
    np.testing.assert_allclose(threshold, 10, atol=0.3)


def test_the_binary_classifier_learns_a_circle(key):
    features = jax.random.normal(key, (4000, 2))
    inside = (features**2).sum(1) < 1
    predicted = mlp_binary(key, features[:2000], inside[:2000], features[2000:])
    assert (predicted == inside[2000:]).mean() > 0.95


@pytest.mark.slow
def test_dropping_shifted_semantics_is_worse_before_the_shift_and_better_after(key):
    keys = jax.random.split(key, 4)
    draw = lambda key: jax.random.normal(key, (3000, 10))
    shifted = lvm.heavy_tails(keys[3], draw(keys[2]), SHIFTED)
    s = Environments(draw(keys[0]), draw(keys[1]), shifted)
    full = downstream_scores(key, s, s)
    robust = downstream_scores(key, Environments(*(part * ~SHIFTED[None] for part in s)), s)
    assert full.r2[0, 3] > robust.r2[0, 3] + 0.05  # y4 depends on s9
    assert (full.matthews[0] > 0.7) & (robust.matthews[0] > 0.7)
    assert robust.matthews[1] > full.matthews[1] + 0.05  # shifted s9 and s10 mislead the head
