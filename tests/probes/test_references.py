"""Scores and predictions of scikit-learn and SciPy in float64, on the same rows."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import matthews_corrcoef, r2_score

from probes import kernel_ridge, logistic, matthews, mean_corr, r2, ridge
from probes.predictors import kernel_ridge as kernel_ridge_module
from probes.predictors import logistic as logistic_module
from probes.predictors import regression

FIT, TEST = slice(0, 600), slice(600, 1000)


@pytest.fixture
def drawn():
    """Features [1000, 4] of unequal scales and offsets, and noise of the same shape."""
    generator = np.random.default_rng(3)
    features = generator.normal(size=(1000, 4)) * [1.0, 10.0, 0.1, 3.0] + [0.0, 50.0, -2.0, 1.0]
    return features.astype(np.float32), generator.normal(size=(1000, 4)).astype(np.float32)


def standard(features):
    """Standardised features in float64."""
    features = features.astype(np.float64)
    return (features - features[FIT].mean(0)) / features[FIT].std(0)


def test_ridge(drawn, key):
    features, noise = drawn
    targets = np.tanh(standard(features)[:, :2]).astype(np.float32) + 0.1 * noise[:, :2]
    model = Ridge(alpha=regression.PENALTY * 600).fit(standard(features)[FIT], targets[FIT])
    measured = ridge(key, *map(jnp.asarray, (features[FIT], targets[FIT], features[TEST])))
    np.testing.assert_allclose(measured, model.predict(standard(features)[TEST]), atol=1e-4)


@pytest.mark.parametrize("classes", [2, 4])
def test_logistic(classes, drawn, key):
    features, noise = drawn
    signal = standard(features)[:, :classes] + noise[:, :classes]
    labels = signal.argmax(1).astype(np.int32)
    design = np.column_stack([standard(features), np.ones(1000)])  # the intercept is penalised too
    penalty = logistic_module.PENALTY
    model = LogisticRegression(C=1 / (penalty * 600), fit_intercept=False, tol=1e-10, max_iter=9999)
    expected = model.fit(design[FIT], labels[FIT]).predict(design[TEST])
    arguments = map(jnp.asarray, (features[FIT], labels[FIT], features[TEST]))
    measured = logistic(key, *arguments, classes=classes)
    assert (measured == expected).mean() > 0.995


def test_kernel_ridge(drawn, key, monkeypatch):
    features, noise = drawn
    targets = (np.sin(2 * standard(features)[:, :1]) + 0.2 * noise[:, :1]).astype(np.float32)
    monkeypatch.setattr(kernel_ridge_module, "BANDWIDTHS", (1.0,))
    monkeypatch.setattr(kernel_ridge_module, "PENALTIES", (1e-3,))
    rows, width = standard(features), features.shape[1]
    model = KernelRidge(alpha=1e-3 * 600, kernel="rbf", gamma=0.5 / width)
    model.fit(rows[FIT], targets[FIT] - targets[FIT].mean())
    expected = targets[FIT].mean() + model.predict(rows[TEST])
    measured = kernel_ridge(key, *map(jnp.asarray, (features[FIT], targets[FIT], features[TEST])))
    np.testing.assert_allclose(measured, expected, atol=2e-3)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_matthews(classes, key):
    labels, random = jax.random.randint(key, (2, 500), 0, classes)
    predictions = jnp.where(jnp.arange(500) % 3 < 2, labels, random)
    expected = matthews_corrcoef(labels, predictions)
    np.testing.assert_allclose(matthews(labels, predictions, classes), expected, atol=1e-6)


def test_r2(drawn):
    targets, noise = drawn
    predictions = targets + noise * np.float32([0.1, 20.0, 0.1, 1.0])
    expected = r2_score(targets, predictions, multioutput="raw_values")
    np.testing.assert_allclose(r2(targets, predictions), expected, atol=1e-4)


@pytest.mark.parametrize("features, latents", [(3, 6), (6, 6), (8, 5)])
def test_the_matching_of_mean_corr(features, latents, key):
    keys = jax.random.split(key, 3)
    s = jax.random.normal(keys[0], (300, latents))
    z = s @ jax.random.normal(keys[1], (latents, features))
    where = jnp.arange(latents) % 3 < 2
    corr = np.abs(np.corrcoef(z.T, s.T)[:features, features:]) * np.asarray(where)[None]
    expected = corr[linear_sum_assignment(-corr)].sum() / where.sum()
    np.testing.assert_allclose(mean_corr(z, s, where), expected, atol=1e-5)
