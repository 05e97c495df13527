"""Hand-built representations of discrete factors whose scores are known."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import (
    CLASSIFIERS,
    Split,
    factor_matthews,
    factor_r2,
    factor_scores,
    logistic,
    mlp_classifier,
    ridge,
)
from probes.factors import FactorScores, one_hots

N = 2000
SIZES = (3, 5, 2)  # values of the factors
UNBIASED = jnp.array([True, False, True])
COPIED = 0.6  # probability that the dependent factor is a copy of the first


def draw(key, dependent=False):
    """Factors [N, 3]; if dependent, the second is a noisy copy of the first."""
    *keys, key_copied, key_random = jax.random.split(key, 5)
    factors = [jax.random.randint(k, (N,), 0, size) for k, size in zip(keys, SIZES, strict=True)]
    if dependent:
        copied = jax.random.bernoulli(key_copied, COPIED, (N,))
        factors[1] = jnp.where(copied, factors[0], jax.random.randint(key_random, (N,), 0, 3))
    return jnp.stack(factors, axis=1)


@pytest.fixture
def factors(key):
    return Split(*map(draw, jax.random.split(key)))


def hot(rows, *indices):
    """Concatenated one-hots of some factors."""
    return jnp.concatenate([jax.nn.one_hot(rows[:, k], 5) for k in indices], axis=1)


def score(encoders, factors, key, classifier=logistic, unbiased=UNBIASED):
    z = Split(*(jnp.stack([encoder(part) for encoder in encoders]) for part in factors))
    truth = Split(*(one_hots(part, unbiased, SIZES) for part in factors))
    return factor_scores(partial(factor_matthews, key, classifier, factors, classes=5), z, truth)


@pytest.mark.parametrize("classifier", CLASSIFIERS.values())
def test_independent_factors_are_attainable_where_unbiased(classifier, factors, key):
    encoders = [lambda f: hot(f, 0, 1, 2), lambda f: hot(f, 0, 1, 2).at[:, 5:].set(0.0)]
    scores = score(encoders, factors, key, classifier)
    np.testing.assert_allclose(scores.attainable, [1, 0, 1], atol=0.07)
    np.testing.assert_allclose(scores.measured, [[1, 1, 1], [1, 0, 0]], atol=0.07)
    assert scores.measured.dtype == scores.attainable.dtype == jnp.float32


def test_a_dependent_factor_is_attainable_from_unbiased_ones(key):
    factors = Split(*(draw(part, dependent=True) for part in jax.random.split(key)))
    scores = score([lambda f: hot(f, 1)], factors, key)
    np.testing.assert_allclose(scores.attainable, [1, COPIED, 1], atol=0.07)
    np.testing.assert_allclose(scores.measured[0], [COPIED, 1, 0], atol=0.07)


def test_attainable_scores_are_0_without_unbiased_factors(factors, key):
    scores = score([lambda f: hot(f, 0)], factors, key, unbiased=jnp.zeros(3, bool))
    np.testing.assert_array_equal(scores.attainable, 0)


def test_the_mlp_alone_predicts_a_factor_from_an_entangled_code(factors, key):
    def code(rows):
        """A sign of the first factor, and its product with the sign of the last."""
        sign = 1.0 - 2.0 * (rows[:, 0] > 0)
        return jnp.stack([sign, sign * (1.0 - 2.0 * rows[:, 2])], axis=1)

    z, last = Split(*map(code, factors)), jax.tree.map(lambda part: part[:, 2:], factors)
    linear, nonlinear = (
        factor_matthews(key, f, last, z, classes=2) for f in (logistic, mlp_classifier)
    )
    assert abs(linear[0]) < 0.5
    assert nonlinear[0] > 0.99


def test_a_constant_factor_scores_0(factors, key):
    constant = jax.tree.map(lambda part: part.at[:, 0].set(2), factors)
    scores = score([lambda f: hot(f, 0, 1)], constant, key)
    np.testing.assert_allclose(scores.measured[0], [0, 1, 0], atol=0.07)
    np.testing.assert_allclose(scores.attainable, [0, 0, 1], atol=0.07)


def test_scores_do_not_depend_on_other_representations(factors, key):
    encoders = [lambda f: hot(f, 0), lambda f: hot(f, 2)]
    both = score(encoders, factors, key).measured
    for measured, encoder in zip(both, encoders, strict=True):
        expected = factor_matthews(key, logistic, factors, Split(*map(encoder, factors)), classes=5)
        np.testing.assert_allclose(measured, expected, atol=1e-6)


def test_factor_matthews_of_one_representation(factors, key):
    features = Split(*(hot(part, 0, 2) for part in factors))
    scores = factor_matthews(key, logistic, factors, features, classes=5)
    np.testing.assert_allclose(scores, [1, 0, 1], atol=0.07)


def test_vmap_over_lanes_of_different_biases_agrees_with_single_lanes(factors, key):
    masks = jnp.array([[True, True, False], [False, False, True]])
    of_lane = lambda mask: score([lambda f: hot(f, 0) * mask[0]], factors, key, unbiased=mask)
    together = jax.jit(jax.vmap(of_lane))(masks)
    for index, mask in enumerate(masks):
        for lanes, single in zip(together, FactorScores(*of_lane(mask)), strict=True):
            np.testing.assert_allclose(lanes[index], single, atol=5e-3)


def test_values_are_attainable_from_unbiased_factors(factors, key):
    """Values: an unbiased factor plus noise, a biased factor, and noise."""
    noise = Split(*(jax.random.normal(k, (N, 2)) for k in jax.random.split(key)))
    values = Split(
        *(
            jnp.stack([rows[:, 0] + e[:, 0], 1.0 * rows[:, 1], e[:, 1]], axis=1)
            for rows, e in zip(factors, noise, strict=True)
        )
    )
    z = Split(*(rows[None].astype(jnp.float32) for rows in factors))
    truth = Split(*(one_hots(part, UNBIASED, SIZES) for part in factors))
    scores = factor_scores(partial(factor_r2, key, ridge, values), z, truth)
    expected = (2 / 3) / (2 / 3 + 1)  # 2/3 is the variance of the factor, 1 that of the noise
    np.testing.assert_allclose(scores.attainable, [expected, 0, 0], atol=0.05)
    np.testing.assert_allclose(scores.measured, [[expected, 1, 0]], atol=0.05)


def test_one_hots_are_concatenated_and_0_outside_the_mask():
    factors = jnp.array([[2, 1, 0], [0, 4, 1]])
    expected = [[0, 0, 1, 0, 0, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]]
    np.testing.assert_array_equal(one_hots(factors, UNBIASED, SIZES), expected)
