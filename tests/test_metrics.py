import jax.numpy as jnp
import numpy as np

from probes.metrics import masked_mean, matthews, r2


def test_known_scores():
    targets = jnp.array([[0.0, 1.0, 5.0], [1.0, 2.0, 5.0], [2.0, 3.0, 5.0]])
    predictions = jnp.array([[0.0, 2.0, 5.0], [1.0, 2.0, 4.0], [2.0, 2.0, 5.0]])
    np.testing.assert_allclose(r2(targets, predictions), [1, 0, 0], atol=1e-6)


def test_worse_than_the_mean_is_negative():
    targets = jnp.array([[0.0], [1.0]])
    assert r2(targets, 1 - targets)[0] == -3


def test_masked_mean():
    values = jnp.array([1.0, 3.0, jnp.nan])
    assert masked_mean(values, jnp.array([True, True, False])) == 2
    assert masked_mean(values, jnp.zeros(3, bool)) == 0


def test_matthews():
    labels = jnp.array([True, True, True, False])
    assert matthews(labels, labels) == 1
    assert matthews(labels, ~labels) == -1
    assert matthews(labels, jnp.ones(4, bool)) == 0
    some = jnp.array([True, True, False, False])
    np.testing.assert_allclose(matthews(labels, some), 1 / 3**0.5, rtol=1e-6)
