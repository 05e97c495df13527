import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import CLASSIFIERS, logistic, matthews, mlp_classifier
from probes.predictors.logistic import PENALTY, fit_logistic
from probes.predictors.regression import standardize

N = 2000
ALL = list(CLASSIFIERS.values())


@pytest.fixture
def features(key):
    return jax.random.normal(key, (2 * N, 3))


def score(classifier, features, labels, key, classes=3):
    """Matthews correlation on the second half of the rows."""
    told = classifier(key, features[:N], labels[:N], features[N:], classes=classes)
    return matthews(labels[N:], told, classes)


def simplex(key, labels, noise=0.1):
    """Points near the corners of a simplex, one corner a label, in another basis."""
    keys = jax.random.split(key)
    corners = jnp.eye(3)[labels] + noise * jax.random.normal(keys[0], (len(labels), 3))
    return corners @ jax.random.orthogonal(keys[1], 3) * jnp.array([[1.0, 10.0, 0.1]]) + 7


HARD = {
    "noise": lambda x, u: (x, (3 * u).astype(int)),
    "separable": lambda x, u: (x, jnp.argmax(x[:, :3], axis=1)),
    "far apart": lambda x, u: (x[:, :1] / 50 + (3 * u[:, None]).astype(int), (3 * u).astype(int)),
    "constant feature": lambda x, u: (x.at[:, 1].set(0.0), (x[:, 0] + u > 0.3).astype(int)),
    "nothing but an intercept": lambda x, u: (0 * x, (u > 0.9).astype(int)),
    "one class": lambda x, u: (x, 0 * u.astype(int) + 2),
    "a rare class": lambda x, u: (x, jnp.where(u < 1e-3, 2, x[:, 0] + u > 0).astype(int)),
    "features twice": lambda x, u: (jnp.tile(x, 3), jnp.argmax(x[:, :3], axis=1)),
    "outliers": lambda x, u: (jnp.sinh(3 * x), jnp.argmax(x[:, :3], axis=1)),
}


@pytest.mark.parametrize("classes", [3, 12])  # the other nine never occur
@pytest.mark.parametrize("case", HARD)
def test_the_logistic_fit_ends_where_the_gradient_is_0(case, classes, features, key):
    rows, labels = HARD[case](features[:N], jax.random.uniform(key, (N,)))
    rows = jnp.pad(standardize(rows, rows)[0], ((0, 0), (0, 1)), constant_values=1.0)
    weights = np.asarray(fit_logistic(rows, labels, classes), np.float64)
    x = np.asarray(rows, np.float64)
    chances = np.exp(x @ weights - (x @ weights).max(1, keepdims=True))
    chances /= chances.sum(1, keepdims=True)
    gradient = x.T @ (chances - np.eye(classes)[labels]) / N + PENALTY * weights
    np.testing.assert_allclose(gradient, 0, atol=2e-6)


def test_the_logistic_fit_recovers_the_weights_that_drew_the_labels(key):
    features = jax.random.normal(key, (20_000, 2))
    truth = jnp.array([[1.0, -0.5, 0.0], [0.0, 2.0, 0.5]])
    labels = jax.random.categorical(jax.random.fold_in(key, 1), features @ truth)
    weights = fit_logistic(features, labels, 3)
    centred = truth - truth.mean(1, keepdims=True)  # a shift of all classes changes nothing
    np.testing.assert_allclose(weights, centred, atol=0.06)


@pytest.mark.parametrize("classifier", ALL)
def test_corners_of_a_simplex_are_told_apart(classifier, key):
    labels = jax.random.randint(key, (2 * N,), 0, 3)
    assert score(classifier, simplex(key, labels), labels, key) > 0.999


@pytest.mark.parametrize("classifier", ALL)
def test_noise_tells_nothing(classifier, features, key):
    labels = jax.random.randint(jax.random.fold_in(key, 1), (2 * N,), 0, 3)
    assert abs(score(classifier, features, labels, key)) < 0.06  # three standard errors


def test_logistic_regression_sees_the_middle_of_a_line(features, key):
    labels = jnp.digitize(features[:, 0], jnp.array([-0.5, 0.5]))
    assert score(logistic, features, labels, key) > 0.97


def test_the_mlp_sees_rings_and_lines_do_not(features, key):
    labels = jnp.digitize((features[:, :2] ** 2).sum(1), jnp.array([0.8, 2.2]))
    assert score(mlp_classifier, features, labels, key) > 0.9
    assert abs(score(logistic, features, labels, key)) < 0.2


@pytest.mark.parametrize("classifier", ALL)
def test_a_masked_column_changes_nothing(classifier, features, key):
    labels = jnp.argmax(features, axis=1)
    padded = jnp.pad(features, ((0, 0), (0, 2)))
    tolerance = 0.04 if classifier is mlp_classifier else 2e-3  # that starts from other weights
    np.testing.assert_allclose(
        score(classifier, padded, labels, key),
        score(classifier, features, labels, key),
        atol=tolerance,
    )


def test_scale_shift_and_names_of_classes_do_not_matter(features, key):
    labels = jnp.argmax(features + 0.3 * features[:, ::-1], axis=1)
    names = jnp.array([2, 0, 1])
    expected = names[logistic(key, features[:N], labels[:N], features[N:], classes=3)]
    moved = 1e-3 * features + 1
    told = logistic(key, moved[:N], names[labels[:N]], moved[N:], classes=3)
    assert (told == expected).mean() > 0.995


@pytest.mark.parametrize("classifier", ALL)
def test_without_features_the_most_frequent_class_is_told(classifier, key):
    labels = jnp.where(jnp.arange(N) % 5 < 3, 2, 1)
    told = classifier(key, jnp.zeros((N, 3)), labels, jnp.ones((7, 3)), classes=4)
    np.testing.assert_array_equal(told, 2)


@pytest.mark.parametrize("classifier", ALL)
def test_vmap_over_lanes_agrees_with_single_lanes(classifier, features, key):
    lanes = jnp.stack([features, features[:, ::-1] ** 3])
    labels = jnp.argmax(features, axis=1)
    of_lane = lambda lane: score(classifier, lane, labels, key)
    together = jax.jit(jax.vmap(of_lane))(lanes)
    np.testing.assert_allclose(together, [of_lane(lane) for lane in lanes], atol=5e-3)
