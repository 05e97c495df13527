import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.modalities import Modalities
from mmcl.objectives.alignment_entropy import (
    BANDWIDTH,
    NORM_PENALTY,
    alignment_max_entropy,
    alignment_max_whitened_entropy,
    whitening_matrix,
)
from mmcl.objectives.contrastive import symmetric_infonce
from mmcl.objectives.similarities import SIMILARITIES
from tests.mmcl.objectives.references import as64

N, D = 12, 3
ALL = np.ones(N, bool)
WHITENING = jnp.eye(D).at[0, 1].set(0.5).at[2, 2].set(0.3)


@pytest.fixture
def z(key):
    x, t, noise = jax.random.normal(key, (3, N, D))
    return Modalities(x, 0.8 * x + 0.3 * t + 0.1 * noise)


@pytest.fixture
def negatives(key):
    return Modalities(*jax.random.normal(jax.random.fold_in(key, 1), (2, N, D)))


@jax.value_and_grad
def infonce(z, negatives, where):
    return symmetric_infonce(z, 1.0, where=where)


@jax.value_and_grad
def in_batch(z, negatives, where):
    return alignment_max_entropy(z, 1.0, where=where)


@jax.value_and_grad
def second_batch(z, negatives, where):
    return alignment_max_entropy(z, 1.0, negatives, where=where)


@jax.value_and_grad
def whitened(z, negatives, where):
    return alignment_max_whitened_entropy(z, WHITENING, where)


MAX_WHITENED_ENTROPY = jax.jit(alignment_max_whitened_entropy, static_argnames="norm_penalty")
LOSSES = tuple(map(jax.jit, (infonce, in_batch, second_batch, whitened)))


@pytest.fixture(params=LOSSES, ids=["infonce", "in batch", "second batch", "whitened"])
def loss(request):
    """The function (z, negatives, where) -> value and gradient of an objective of the paper."""
    return request.param


def log_mean_exp(values):
    return np.log(np.mean(np.exp(values)))


def reference_similarity(name, a, b):
    if name == "negative_squared_distance":
        return -((a - b) ** 2).sum()
    inner = a @ b
    return inner if name == "dot" else inner / np.linalg.norm(a) / np.linalg.norm(b)


def reference_infonce(z, temperature, name):
    similarity = np.array(
        [[reference_similarity(name, a, b) / temperature for b in z.t] for a in z.x]
    )
    terms = [
        (log_mean_exp(similarity[i]) + log_mean_exp(similarity[:, i])) / 2 - similarity[i, i]
        for i in range(len(z.x))
    ]
    return np.mean(terms)


def reference_max_entropy(z, temperature, negatives=None):
    terms = []
    for i in range(len(z.x)):
        alignment = ((z.x[i] - z.t[i]) ** 2).sum()
        entropies = 0
        for side in range(2):
            others = np.delete(z[side], i, 0) if negatives is None else negatives[side]
            distances = ((z[side][i] - others) ** 2).sum(1)
            entropies += log_mean_exp(-np.append(distances, alignment) / temperature)
        terms.append(alignment + entropies / 2)
    return np.mean(terms)


@pytest.mark.accelerator
@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_infonce_against_float64(z, name, temperature):
    measured = jax.jit(symmetric_infonce, static_argnums=2)(z, temperature, SIMILARITIES[name])
    expected = reference_infonce(as64(z), temperature, name)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


@pytest.mark.accelerator
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_max_entropy_against_float64(z, negatives, temperature):
    loss = jax.jit(alignment_max_entropy)
    in_batch = loss(z, temperature)
    np.testing.assert_allclose(in_batch, reference_max_entropy(as64(z), temperature), rtol=1e-5)
    second = loss(z, temperature, negatives)
    expected = reference_max_entropy(as64(z), temperature, as64(negatives))
    np.testing.assert_allclose(second, expected, rtol=1e-5)


@pytest.mark.accelerator
@pytest.mark.parametrize("norm_penalty", [NORM_PENALTY, 1.5])
def test_max_whitened_entropy_against_float64(z, norm_penalty):
    centre = (as64(z).x.mean(0) + as64(z).t.mean(0)) / 2
    whitening = np.asarray(WHITENING, np.float64)
    terms = []
    for i in range(N):
        x, t = as64(z).x[i], as64(z).t[i]
        term = ((x - t) ** 2).sum()
        term += norm_penalty * (((x - centre) ** 2).sum() + ((t - centre) ** 2).sum()) / 2
        for rows in as64(z):
            white = (rows[i] - np.delete(rows, i, 0)) @ whitening
            term += log_mean_exp(-(white**2).sum(1) / (2 * BANDWIDTH**2)) / 2
        terms.append(term)
    measured = MAX_WHITENED_ENTROPY(z, WHITENING, norm_penalty=norm_penalty)
    np.testing.assert_allclose(measured, np.mean(terms), rtol=1e-5)


def test_whitened_entropy_is_invariant_to_a_linear_map(z, key):
    """A linear map of representations changes only alignment, here 0, and the norm."""
    equal = Modalities(z.x, z.x)
    mapped = Modalities(*(rows @ jax.random.normal(key, (D, D)) * 10 for rows in equal))

    @jax.jit
    def entropy(pair):
        norm = jnp.sum((pair.x - pair.x.mean(0)[None]) ** 2) / N
        return alignment_max_whitened_entropy(pair, whitening_matrix(pair)) - NORM_PENALTY * norm

    np.testing.assert_allclose(entropy(mapped), entropy(equal), rtol=1e-3)


def test_whitening_matrix_whitens_both_modalities_and_stops_gradients(z):
    wide = Modalities(*(jnp.pad(rows, ((0, 0), (0, 1))) for rows in z))
    white = np.concatenate(wide) @ np.asarray(jax.jit(whitening_matrix)(wide), np.float64)
    expected = np.diag([1, 1, 1, 0])
    np.testing.assert_allclose(np.cov(white.T, bias=True), expected, atol=1e-4)
    grads = jax.jit(jax.grad(lambda z: whitening_matrix(z).sum()))(z)
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), grads)


def test_objectives_are_as_exact_far_from_the_origin(z, negatives, loss):
    """A shift of all representations by 1000 changes neither value nor gradient."""
    shift = lambda pair: Modalities(pair.x + 1000, pair.t + 1000)
    # with the rounding of the shifted ones
    back = lambda pair: Modalities(pair.x - 1000, pair.t - 1000)
    far = shift(z), shift(negatives)
    value, grads = loss(*map(back, far), ALL)
    value_shifted, grads_shifted = loss(*far, ALL)
    np.testing.assert_allclose(value_shifted, value, rtol=1e-5)
    for a, b in zip(grads_shifted, grads, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("outside", [None, 1e6])
def test_masked_pairs_change_nothing_whatever_their_values(z, negatives, loss, outside):
    where = jnp.arange(N) < 7
    spoil = lambda leaf: leaf if outside is None else jnp.where(where[:, None], leaf, outside)
    value, grads = loss(*jax.tree.map(spoil, (z, negatives)), where)
    small = jax.tree.map(lambda leaf: leaf[:7], (z, negatives))
    value_small, grads_small = loss(*small, ALL[:7])
    np.testing.assert_allclose(value, value_small, rtol=1e-5)
    for a, b in zip(grads, grads_small, strict=True):
        np.testing.assert_allclose(a[:7], b, atol=1e-6)
        np.testing.assert_array_equal(a[7:], 0)


def test_an_empty_mask_gives_zero_and_a_zero_gradient(z, negatives, loss):
    value, grads = loss(z, negatives, ~ALL)
    assert value == 0
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), grads)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_similarities_are_inner_products_of_their_factors(z, name):
    left, right = SIMILARITIES[name](*z)
    expected = [[reference_similarity(name, a, b) for b in as64(z).t] for a in as64(z).x]
    np.testing.assert_allclose(left @ right.T, expected, atol=1e-5)


def test_jit_vmap_and_grad_agree(z, negatives, loss):
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), z)
    values, grads = jax.jit(jax.vmap(loss, (0, None, None)))(stacked, negatives, ALL)
    for index, scale in enumerate((1, 2)):
        scaled = jax.tree.map(lambda leaf, scale=scale: scale * leaf, z)
        value, single = loss(scaled, negatives, ALL)
        np.testing.assert_allclose(values[index], value, rtol=1e-5)
        np.testing.assert_allclose(grads.x[index], single.x, atol=1e-5)


def test_a_single_pair_has_no_negative_but_its_positive(z):
    """The kernel sum over other pairs is empty, the positive alone gives -alignment."""
    single = jnp.arange(N) == 4
    alignment = float(jnp.sum((z.x[4] - z.t[4]) ** 2))
    loss = jax.jit(jax.value_and_grad(lambda z: alignment_max_entropy(z, 2.0, where=single)))
    value, grads = loss(z)
    np.testing.assert_allclose(value, alignment - alignment / 2, rtol=1e-5)
    assert all(jnp.isfinite(leaf).all() for leaf in grads)


def test_a_whitening_that_is_not_finite_is_not_hidden(z):
    loss = MAX_WHITENED_ENTROPY(z, WHITENING.at[0, 0].set(jnp.nan))
    assert jnp.isnan(loss)
