import jax.numpy as jnp
import numpy as np

from probes.metrics import masked_mean, r2


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
