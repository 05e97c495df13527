from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import CLASSIFIERS, logistic, matthews, mlp_classifier
from probes.predictors.logistic import PENALTY, fit_logistic
from probes.predictors.regression import standardize

N = 2000
ALL_CLASSIFIERS = list(CLASSIFIERS.values())


@pytest.fixture
def features(key):
    return jax.random.normal(key, (2 * N, 3))


def score(classifier, features, labels, key, classes=3):
    """Matthews correlation on the second half of the rows."""
    predicted = classifier(key, features[:N], labels[:N], features[N:], classes=classes)
    return matthews(labels[N:], predicted, classes)


def simplex(key, labels, noise=0.1):
    """Points near the corners of a simplex, one per label, after a linear map."""
    keys = jax.random.split(key)
    corners = jnp.eye(3)[labels] + noise * jax.random.normal(keys[0], (len(labels), 3))
    return corners @ jax.random.orthogonal(keys[1], 3) * jnp.array([[1.0, 10.0, 0.1]]) + 7


HARD_CASES = {
    "noise": lambda x, u: (x, (3 * u).astype(int)),
    "separable": lambda x, u: (x, np.argmax(x, axis=1)),
    "far apart": lambda x, u: (x[:, :1] / 50 + (3 * u[:, None]).astype(int), (3 * u).astype(int)),
    "constant feature": lambda x, u: (x * np.float32([1, 0, 1]), (x[:, 0] + u > 0.3).astype(int)),
    "nothing but an intercept": lambda x, u: (0 * x, (u > 0.9).astype(int)),
    "one class": lambda x, u: (x, 0 * u.astype(int) + 2),
    "a rare class": lambda x, u: (x, np.where(u < 1e-3, 2, x[:, 0] + u > 0).astype(int)),
    "features twice": lambda x, u: (np.tile(x, 3), np.argmax(x, axis=1)),
    "outliers": lambda x, u: (np.sinh(3 * x), np.argmax(x, axis=1)),
}


@partial(jax.jit, static_argnames="classes")
def fit(rows, labels, classes):
    """Returns standardised rows with an intercept, and the weights of the logistic fit."""
    rows = jnp.pad(standardize(rows, rows)[0], ((0, 0), (0, 1)), constant_values=1.0)
    return rows, fit_logistic(rows, labels, classes)


@pytest.mark.parametrize("classes", [3, 12])  # of 12, nine never occur
@pytest.mark.parametrize("case", HARD_CASES)
def test_the_logistic_fit_has_a_gradient_of_0(case, classes, features, key):
    uniform = np.asarray(jax.random.uniform(key, (N,)))
    rows, labels = HARD_CASES[case](np.asarray(features)[:N], uniform)
    x, weights = (np.asarray(part, np.float64) for part in fit(rows, labels, classes))
    probabilities = np.exp(x @ weights - (x @ weights).max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    gradient = x.T @ (probabilities - np.eye(classes)[labels]) / N + PENALTY * weights
    np.testing.assert_allclose(gradient, 0, atol=2e-6)


def test_the_logistic_fit_recovers_the_true_weights(key):
    features = jax.random.normal(key, (20_000, 2))
    truth = jnp.array([[1.0, -0.5, 0.0], [0.0, 2.0, 0.5]])
    labels = jax.random.categorical(jax.random.fold_in(key, 1), features @ truth)
    weights = fit_logistic(features, labels, 3)
    centred = truth - truth.mean(1, keepdims=True)  # a shift of all classes changes no probability
    np.testing.assert_allclose(weights, centred, atol=0.06)


@pytest.mark.parametrize("classifier", ALL_CLASSIFIERS)
def test_corners_of_a_simplex_are_separated(classifier, key):
    labels = jax.random.randint(key, (2 * N,), 0, 3)
    assert score(classifier, simplex(key, labels), labels, key) > 0.999


@pytest.mark.parametrize("classifier", ALL_CLASSIFIERS)
def test_labels_independent_of_features_score_0(classifier, features, key):
    labels = jax.random.randint(jax.random.fold_in(key, 1), (2 * N,), 0, 3)
    assert abs(score(classifier, features, labels, key)) < 0.06  # three standard errors


def test_logistic_regression_learns_the_middle_of_three_intervals(features, key):
    labels = jnp.digitize(features[:, 0], jnp.array([-0.5, 0.5]))
    assert score(logistic, features, labels, key) > 0.97


def test_the_mlp_learns_rings_and_logistic_regression_does_not(features, key):
    labels = jnp.digitize((features[:, :2] ** 2).sum(1), jnp.array([0.8, 2.2]))
    assert score(mlp_classifier, features, labels, key) > 0.9
    assert abs(score(logistic, features, labels, key)) < 0.2


@pytest.mark.parametrize("classifier", ALL_CLASSIFIERS)
def test_a_masked_column_changes_nothing(classifier, features, key):
    labels = jnp.argmax(features, axis=1)
    padded = jnp.pad(features, ((0, 0), (0, 2)))
    tolerance = 0.04 if classifier is mlp_classifier else 2e-3  # its initial weights differ
    np.testing.assert_allclose(
        score(classifier, padded, labels, key),
        score(classifier, features, labels, key),
        atol=tolerance,
    )


def test_logistic_regression_is_invariant_to_scale_shift_and_order_of_classes(features, key):
    labels = jnp.argmax(features + 0.3 * features[:, ::-1], axis=1)
    order = jnp.array([2, 0, 1])
    expected = order[logistic(key, features[:N], labels[:N], features[N:], classes=3)]
    shifted = 1e-3 * features + 1
    predicted = logistic(key, shifted[:N], order[labels[:N]], shifted[N:], classes=3)
    assert (predicted == expected).mean() > 0.995


@pytest.mark.parametrize("classifier", ALL_CLASSIFIERS)
def test_constant_features_predict_the_most_frequent_class(classifier, key):
    labels = np.where(np.arange(N) % 5 < 3, 2, 1).astype(np.int32)
    predicted = classifier(key, jnp.zeros((N, 3)), labels, jnp.ones((N, 3)), classes=3)
    np.testing.assert_array_equal(predicted, 2)


@pytest.mark.parametrize("classifier", ALL_CLASSIFIERS)
def test_vmap_over_lanes_agrees_with_single_lanes(classifier, features, key):
    lanes = jnp.stack([features, features[:, ::-1] ** 3])
    labels = jnp.argmax(features, axis=1)
    of_lane = lambda lane: score(classifier, lane, labels, key)
    together = jax.jit(jax.vmap(of_lane))(lanes)
    np.testing.assert_allclose(together, [of_lane(lane) for lane in lanes], atol=5e-3)
