import jax
import jax.numpy as jnp
import numpy as np
import pytest

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
    predictions = jnp.array([True, True, False, False])
    np.testing.assert_allclose(matthews(labels, predictions), 1 / 3**0.5, rtol=1e-6)


def gorodkin(labels, predictions, classes):
    """R_K from the confusion matrix, in float64."""
    confusion = np.zeros((classes, classes))
    np.add.at(confusion, (np.asarray(labels), np.asarray(predictions)), 1)
    true, predicted, n = confusion.sum(1), confusion.sum(0), confusion.sum()
    scale = np.sqrt((n**2 - true @ true) * (n**2 - predicted @ predicted))
    return (n * np.trace(confusion) - true @ predicted) / scale


def noisy_labels(key, classes, n):
    """Labels of unequal frequency, and predictions of which half are random."""
    keys = jax.random.split(key, 3)
    labels = jax.random.categorical(keys[0], -0.7 * jnp.arange(classes), shape=(n,))
    random = jax.random.randint(keys[1], (n,), 0, classes)
    return labels, jnp.where(jax.random.bernoulli(keys[2], shape=(n,)), labels, random)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("n", [60, 2000])
def test_matthews_of_any_number_of_classes(classes, n, key):
    labels, predictions = noisy_labels(key, classes, n)
    measured = matthews(labels, predictions, classes)
    np.testing.assert_allclose(measured, gorodkin(labels, predictions, classes), atol=1e-6)
    np.testing.assert_allclose(matthews(predictions, labels, classes), measured, atol=1e-6)


def test_known_matthews_of_three_classes():
    labels = jnp.array([0, 1, 2, 0, 1, 2])
    np.testing.assert_allclose(matthews(labels, labels, 3), 1, rtol=1e-6)
    np.testing.assert_allclose(matthews(labels, (labels + 1) % 3, 3), -0.5, rtol=1e-6)
    merged = jnp.minimum(labels, 1)  # (6 * 4 - 2 * 2 - 2 * 4) / sqrt((36 - 12) * (36 - 20))
    np.testing.assert_allclose(matthews(labels, merged, 3), 12 / 384**0.5, rtol=1e-6)


def test_matthews_is_invariant_to_the_order_of_classes_and_to_unused_ones(key):
    labels, predictions = noisy_labels(key, 4, 500)
    order = jnp.array([2, 0, 3, 1])
    expected = matthews(labels, predictions, 4)
    np.testing.assert_allclose(matthews(order[labels], order[predictions], 4), expected, atol=1e-6)
    np.testing.assert_allclose(matthews(labels, predictions, 9), expected, atol=1e-6)


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit], ids=["eager", "jit"])
def test_matthews_is_0_if_all_labels_or_predictions_are_equal(wrap):
    score = wrap(lambda *parts: matthews(*parts, 3))
    for n in (1, 41, 55):  # the mean of n ones need not round to 1
        same, other = jnp.ones(n, int), jnp.arange(n) % 3
        assert score(same, same) == score(same, other) == score(other, same) == 0


def test_vmapped_matthews_agrees_with_single_calls(key):
    pairs = [noisy_labels(part, 3, 300) for part in jax.random.split(key)]
    together = jax.vmap(lambda *parts: matthews(*parts, 3))(
        *map(jnp.stack, zip(*pairs, strict=True))
    )
    np.testing.assert_allclose(together, [matthews(*pair, 3) for pair in pairs], atol=1e-6)


@pytest.mark.parametrize("constant", [0.1, 0.3, -7.7])
def test_r2_of_a_constant_target_is_0_despite_rounding_of_its_mean(constant):
    targets = jnp.full((41, 1), constant)
    np.testing.assert_array_equal(r2(targets, targets + 0.01), 0)
