"""SigLIP: its bias is the optimum, at any temperature, similarity and quality of the pairs."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from scipy.special import expit

from mmcl.modalities import Modalities
from mmcl.objectives.sigmoid import siglip
from mmcl.objectives.similarities import SIMILARITIES

LOSS = jax.jit(jax.value_and_grad(siglip), static_argnames="similarity")


def pairs(count, columns, *, scale, noise, matched=True, seed=0):
    """Float32 pairs; of the unmatched ones every text belongs to another image."""
    rng = np.random.default_rng(seed)
    x = scale * rng.normal(size=(count, columns))
    t = x + noise * rng.normal(size=(count, columns))
    return Modalities(np.float32(x), np.float32(t if matched else np.roll(t, 1, axis=0)))


def logits64(z, similarity, temperature):
    x, t = (np.asarray(rows, np.float64) for rows in z)
    if similarity == "negative_squared_distance":
        return -cdist(x, t, "sqeuclidean") / temperature
    if similarity == "cosine":
        x, t = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (x, t))
    return x @ t.T / temperature


def best_loss64(z, similarity, temperature):
    """The smallest loss over all biases: the derivative by the bias has one root."""
    logits = logits64(z, similarity, temperature)
    sign = 1 - 2 * np.eye(len(logits))
    derivative = lambda bias: (sign * expit(sign * (logits + bias))).sum()
    limit = np.abs(logits).max() + 30
    bias = brentq(derivative, -limit, limit, xtol=1e-12)
    return np.logaddexp(0, sign * (logits + bias)).sum() / len(logits)


def gradient64(z, similarity, temperature, step=1e-6):
    """Central differences of `best_loss64` by every value of z."""
    values = np.stack(z).astype(np.float64)
    gradient = np.zeros_like(values)
    for index in np.ndindex(*values.shape):
        shift = np.zeros_like(values)
        shift[index] = step
        above, below = (
            best_loss64(Modalities(*shifted), similarity, temperature)
            for shifted in (values + shift, values - shift)
        )
        gradient[index] = (above - below) / (2 * step)
    return gradient


WELL_AND_BADLY_MATCHED = [
    {"scale": 1.0, "noise": 0.3},
    {"scale": 1.0, "noise": 0.3, "matched": False},
    {"scale": 3.0, "noise": 0.7},
    {"scale": 1.0, "noise": 5.0},
]


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("temperature", [0.03, 0.1, 1.0, 3.0])
@pytest.mark.parametrize("quality", WELL_AND_BADLY_MATCHED)
def test_the_gradient_is_that_of_the_optimum(similarity, temperature, quality):
    """The envelope theorem: the derivative by the bias is 0 at the optimum."""
    z = pairs(10, 2, **quality)
    value, grads = LOSS(z, jnp.float32(temperature), similarity=SIMILARITIES[similarity])
    np.testing.assert_allclose(value, best_loss64(z, similarity, temperature), rtol=1e-4, atol=1e-6)
    expected = gradient64(z, similarity, temperature)
    error = np.linalg.norm(np.stack(grads) - expected)
    assert error <= 1e-3 * np.linalg.norm(expected) + 1e-6


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("temperature", [0.03, 0.1, 1.0, 3.0])
@pytest.mark.parametrize(
    "z",
    [
        pairs(96, 5, scale=1.0, noise=0.5),
        pairs(256, 10, scale=3.0, noise=0.7),
        pairs(256, 10, scale=3.0, noise=0.1),
        pairs(256, 10, scale=3.0, noise=0.7, matched=False),
        pairs(32, 3, scale=1.0, noise=10.0),
        pairs(2, 1, scale=1.0, noise=1.0),
    ],
)
def test_the_loss_is_the_optimum(similarity, temperature, z):
    value, grads = LOSS(z, jnp.float32(temperature), similarity=SIMILARITIES[similarity])
    np.testing.assert_allclose(value, best_loss64(z, similarity, temperature), rtol=1e-4, atol=1e-6)
    assert all(np.isfinite(leaf).all() for leaf in grads)


@pytest.mark.parametrize("scale", [1e-10, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("matched", [True, False])
def test_extreme_scales_are_finite_and_optimal(scale, matched):
    z = pairs(32, 3, scale=scale, noise=0.1 * scale, matched=matched)
    for similarity in SIMILARITIES:
        value, grads = LOSS(z, jnp.float32(1.0), similarity=SIMILARITIES[similarity])
        expected = best_loss64(z, similarity, 1.0)
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-6)
        assert all(np.isfinite(leaf).all() for leaf in grads)


def test_the_bias_of_equal_logits_is_known():
    """With all logits 0, n σ(-b) = n (n - 1) σ(b): b = -log(n - 1)."""
    count = 10
    z = Modalities(*jnp.zeros((2, count, 2)))
    bias = -np.log(count - 1)
    expected = np.logaddexp(0, -bias) + (count - 1) * np.logaddexp(0, bias)
    for similarity in SIMILARITIES.values():
        value, _ = LOSS(z, jnp.float32(1.0), similarity=similarity)
        np.testing.assert_allclose(value, expected, rtol=1e-6)


def test_a_single_pair_has_no_negatives_and_no_loss():
    z = pairs(6, 3, scale=1.0, noise=1.0)
    for similarity in SIMILARITIES.values():
        value, grads = LOSS(z, 0.1, similarity=similarity, where=np.arange(6) == 2)
        assert value == 0
        for leaf in grads:
            np.testing.assert_allclose(leaf, 0, atol=1e-30)


def test_masked_and_batched_losses_agree_with_single_ones():
    z = pairs(40, 4, scale=2.0, noise=0.5)
    loss = jax.jit(jax.vmap(partial(siglip, similarity=SIMILARITIES["dot"]), (0, 0)))
    temperatures = np.float32([0.03, 0.5, 3.0])
    together = loss(Modalities(*(np.stack([leaf] * 3) for leaf in z)), temperatures)
    expected = [best_loss64(z, "dot", temperature) for temperature in temperatures]
    np.testing.assert_allclose(together, expected, rtol=1e-4)
    masked, _ = LOSS(z, 0.1, similarity=SIMILARITIES["dot"], where=np.arange(40) < 25)
    first = Modalities(*(leaf[:25] for leaf in z))
    np.testing.assert_allclose(masked, best_loss64(first, "dot", 0.1), rtol=1e-4)
