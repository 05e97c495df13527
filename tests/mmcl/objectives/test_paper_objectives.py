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

N, D = 12, 3
WHITENING = jnp.eye(D + 2).at[0, 1].set(0.5).at[2, 2].set(0.3)  # for D columns or more


@pytest.fixture
def z(key):
    x, t, noise = jax.random.normal(key, (3, N, D))
    return Modalities(x, 0.8 * x + 0.3 * t + 0.1 * noise)


@pytest.fixture
def negatives(key):
    return Modalities(*jax.random.normal(jax.random.fold_in(key, 1), (2, N, D)))


def as64(z):
    return Modalities(np.asarray(z.x, np.float64), np.asarray(z.t, np.float64))


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


@pytest.mark.parametrize("name", SIMILARITIES)
@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_infonce_against_float64(z, name, temperature):
    measured = symmetric_infonce(z, temperature, SIMILARITIES[name])
    expected = reference_infonce(as64(z), temperature, name)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_max_entropy_against_float64(z, negatives, temperature):
    in_batch = alignment_max_entropy(z, temperature)
    np.testing.assert_allclose(in_batch, reference_max_entropy(as64(z), temperature), rtol=1e-5)
    second = alignment_max_entropy(z, temperature, negatives)
    expected = reference_max_entropy(as64(z), temperature, as64(negatives))
    np.testing.assert_allclose(second, expected, rtol=1e-5)


def objectives(negatives):
    yield lambda z, where=None: symmetric_infonce(z, 1.0, where=where)
    yield lambda z, where=None: alignment_max_entropy(z, 1.0, where=where)
    yield lambda z, where=None: alignment_max_entropy(z, 1.0, negatives, where=where)
    matrix = lambda z: WHITENING[: z.x.shape[1], : z.x.shape[1]]
    yield lambda z, where=None: alignment_max_whitened_entropy(z, matrix(z), where)


@pytest.mark.parametrize("norm_penalty", [NORM_PENALTY, 1.5])
def test_max_whitened_entropy_against_float64(z, norm_penalty):
    centre = (as64(z).x.mean(0) + as64(z).t.mean(0)) / 2
    whitening = np.asarray(WHITENING[:D, :D], np.float64)
    terms = []
    for i in range(N):
        x, t = as64(z).x[i], as64(z).t[i]
        term = ((x - t) ** 2).sum()
        term += norm_penalty * (((x - centre) ** 2).sum() + ((t - centre) ** 2).sum()) / 2
        for rows in as64(z):
            white = (rows[i] - np.delete(rows, i, 0)) @ whitening
            term += log_mean_exp(-(white**2).sum(1) / (2 * BANDWIDTH**2)) / 2
        terms.append(term)
    measured = alignment_max_whitened_entropy(z, WHITENING[:D, :D], norm_penalty=norm_penalty)
    np.testing.assert_allclose(measured, np.mean(terms), rtol=1e-5)


def test_whitened_entropy_is_invariant_to_a_linear_map(z, key):
    """A linear map of representations changes only alignment, here 0, and the norm."""
    equal = Modalities(z.x, z.x)
    mapped = Modalities(*(rows @ jax.random.normal(key, (D, D)) * 10 for rows in equal))

    def entropy(pair):
        norm = jnp.sum((pair.x - pair.x.mean(0)[None]) ** 2) / N
        return alignment_max_whitened_entropy(pair, whitening_matrix(pair)) - NORM_PENALTY * norm

    np.testing.assert_allclose(entropy(mapped), entropy(equal), rtol=1e-3)


def test_whitening_matrix_whitens_both_modalities_and_stops_gradients(z):
    wide = Modalities(*(jnp.pad(rows, ((0, 0), (0, 1))) for rows in z))
    white = np.concatenate(wide) @ np.asarray(whitening_matrix(wide), np.float64)
    expected = np.diag([1, 1, 1, 0])
    np.testing.assert_allclose(np.cov(white.T, bias=True), expected, atol=1e-4)
    grads = jax.grad(lambda z: whitening_matrix(z).sum())(z)
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), grads)


def test_objectives_are_as_exact_far_from_the_origin(z, negatives):
    """A shift of all representations by 1000 changes neither value nor gradient."""
    shift = lambda pair: Modalities(pair.x + 1000, pair.t + 1000)
    shifted_z, shifted_negatives = shift(z), shift(negatives)
    # with the rounding of the shifted ones
    back = lambda pair: Modalities(pair.x - 1000, pair.t - 1000)
    for near, far in zip(
        objectives(back(shifted_negatives)), objectives(shifted_negatives), strict=True
    ):
        value, grads = jax.value_and_grad(near)(back(shifted_z))
        value_shifted, grads_shifted = jax.value_and_grad(far)(shifted_z)
        np.testing.assert_allclose(value_shifted, value, rtol=1e-5)
        for a, b in zip(grads_shifted, grads, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-5)


def test_masked_pairs_change_nothing(z, negatives):
    where = jnp.arange(N) < 7
    small = jax.tree.map(lambda leaf: leaf[:7], z)
    for masked, unmasked in zip(
        objectives(negatives), objectives(jax.tree.map(lambda a: a[:7], negatives)), strict=True
    ):
        value, grads = jax.value_and_grad(masked)(z, where)
        value_small, grads_small = jax.value_and_grad(unmasked)(small)
        np.testing.assert_allclose(value, value_small, rtol=1e-5)
        for a, b in zip(grads, grads_small, strict=True):
            np.testing.assert_allclose(a[:7], b, atol=1e-6)
            np.testing.assert_array_equal(a[7:], 0)


def test_masked_pairs_can_have_any_value(z, negatives):
    """Huge values outside the mask affect neither the value nor the gradient."""
    where = jnp.arange(N) < 7
    spoil = lambda pair: jax.tree.map(lambda leaf: jnp.where(where[:, None], leaf, 1e6), pair)
    for clean, spoilt in zip(objectives(negatives), objectives(spoil(negatives)), strict=True):
        value, grads = jax.value_and_grad(clean)(z, where)
        value_spoilt, grads_spoilt = jax.value_and_grad(spoilt)(spoil(z), where)
        np.testing.assert_allclose(value_spoilt, value, rtol=1e-5)
        for a, b in zip(grads_spoilt, grads, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_an_empty_mask_gives_zero_and_a_zero_gradient(z, negatives):
    for objective in objectives(negatives):
        value, grads = jax.value_and_grad(objective)(z, jnp.zeros(N, bool))
        assert value == 0
        jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), grads)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_zero_vectors_have_finite_gradients(name):
    zeros = Modalities(jnp.zeros((N, D)), jnp.zeros((N, D)))
    grads = jax.grad(lambda z: symmetric_infonce(z, 1.0, SIMILARITIES[name]))(zeros)
    assert all(jnp.isfinite(leaf).all() for leaf in grads)


def test_a_zero_column_adds_nothing(z, negatives):
    wide = lambda pair: Modalities(*(jnp.pad(leaf, ((0, 0), (0, 2))) for leaf in pair))
    for narrow, padded in zip(objectives(negatives), objectives(wide(negatives)), strict=True):
        np.testing.assert_allclose(padded(wide(z)), narrow(z), rtol=1e-6)


@pytest.mark.parametrize("name", SIMILARITIES)
def test_similarities_are_inner_products_of_their_factors(z, name):
    left, right = SIMILARITIES[name](*z)
    expected = [[reference_similarity(name, a, b) for b in as64(z).t] for a in as64(z).x]
    np.testing.assert_allclose(left @ right.T, expected, atol=1e-5)


def test_jit_vmap_and_grad_agree(z, negatives):
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), z)
    for objective in objectives(negatives):
        grad = jax.value_and_grad(objective)
        values, grads = jax.jit(jax.vmap(grad))(stacked)
        for index, scale in enumerate((1, 2)):
            value, single = grad(jax.tree.map(lambda leaf, scale=scale: scale * leaf, z))
            np.testing.assert_allclose(values[index], value, rtol=1e-5)
            np.testing.assert_allclose(grads.x[index], single.x, atol=1e-5)


def test_a_single_pair_has_no_negative_but_its_positive(z):
    """The kernel sum over other pairs is empty, the positive alone gives -alignment."""
    single = jnp.arange(N) == 4
    alignment = float(jnp.sum((z.x[4] - z.t[4]) ** 2))
    value, grads = jax.value_and_grad(lambda z: alignment_max_entropy(z, 2.0, where=single))(z)
    np.testing.assert_allclose(value, alignment - alignment / 2, rtol=1e-5)
    assert all(jnp.isfinite(leaf).all() for leaf in grads)
