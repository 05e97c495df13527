import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes.pair_geometry import (
    SIMILARITIES,
    alignment,
    comparable,
    modality_gap,
    uniformity,
)

OFFSET = jnp.array([3.0, -40.0, 0.5])


@pytest.fixture
def pairs(key):
    """Representations of 300 pairs with a gap between the modalities."""
    key_x, key_t = jax.random.split(key)
    x = jax.random.normal(key_x, (300, 3)) * jnp.array([1.0, 3.0, 0.2])[None]
    return x, 0.8 * x + 0.3 * jax.random.normal(key_t, x.shape) + jnp.array([0.5, 0.0, 1.0])[None]


def in_float64(x, t, similarity):
    """Comparable rows in float64."""
    both = np.concatenate([x, t]).astype(np.float64)
    if similarity == "cosine":
        both /= np.linalg.norm(both, axis=1, keepdims=True)
    else:
        both -= both.mean(0) if similarity == "negative_squared_distance" else 0.0
        both /= np.sqrt((both**2).sum(1).mean())
    return both[: len(x)], both[len(x) :]


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_scores_agree_with_float64(similarity, pairs):
    x, t = in_float64(*map(np.asarray, pairs), similarity)
    rows = comparable(*pairs, similarity)
    np.testing.assert_allclose(rows, (x, t), atol=1e-6)
    expected = np.linalg.norm(x.mean(0) - t.mean(0))
    np.testing.assert_allclose(modality_gap(*rows), expected, atol=1e-6)
    np.testing.assert_allclose(alignment(*rows), ((x - t) ** 2).sum(1).mean(), atol=1e-6)
    squares = ((x[:, None] - x[None]) ** 2).sum(2)[~np.eye(len(x), dtype=bool)]
    np.testing.assert_allclose(uniformity(rows[0]), np.log(np.exp(-2 * squares).mean()), atol=1e-5)


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("scale", [1e-12, 7.0, 1e12])
def test_comparable_rows_do_not_depend_on_scale(similarity, scale, pairs):
    scaled = comparable(*(rows * jnp.float32(scale) for rows in pairs), similarity)
    np.testing.assert_allclose(scaled, comparable(*pairs, similarity), atol=1e-5)


def test_comparable_rows_by_distance_do_not_depend_on_a_common_offset(pairs):
    shifted = comparable(*(rows + OFFSET[None] for rows in pairs))
    np.testing.assert_allclose(shifted, comparable(*pairs), atol=1e-5)
    of_one = comparable(pairs[0] + OFFSET[None], pairs[1])  # is a gap
    assert modality_gap(*of_one) > modality_gap(*comparable(*pairs)) + 0.5


def test_the_ranges_are_those_of_the_sphere(key):
    points = jnp.zeros((50, 3)), jnp.ones((50, 3))  # each modality is one point
    far = comparable(*points)
    np.testing.assert_allclose((modality_gap(*far), alignment(*far)), (2, 4), rtol=1e-6)
    opposite = comparable(points[1], -points[1], "cosine")
    np.testing.assert_allclose((modality_gap(*opposite), alignment(*opposite)), (2, 4), rtol=1e-6)
    independent = jax.random.normal(key, (2, 20_000, 4))
    for similarity in SIMILARITIES:
        rows = comparable(*independent, similarity)
        np.testing.assert_allclose(modality_gap(*rows), 0, atol=0.03)
        np.testing.assert_allclose(alignment(*rows), 2, atol=0.05)


def test_equal_modalities_have_neither_gap_nor_distance(pairs):
    rows = comparable(pairs[0], pairs[0])
    assert modality_gap(*rows) == alignment(*rows) == 0


def test_uniformity_of_known_rows():
    equal, two_poles = jnp.full((9, 2), 0.3), jnp.array([[1.0, 0.0], [-1.0, 0.0]])
    assert uniformity(equal) == 0
    np.testing.assert_allclose(uniformity(two_poles), -8, rtol=1e-6)
    np.testing.assert_allclose(uniformity(100 * two_poles), -80_000, rtol=1e-6)  # exp of it is 0


def test_near_rows_keep_their_distance(key):
    """Differences of float32 rows are exact where a Gram matrix would give noise."""
    rows = 1.0 + 1e-4 * jax.random.normal(key, (400, 2))
    exact = np.asarray(rows, np.float64)
    squares = ((exact[:, None] - exact[None]) ** 2).sum(2)[~np.eye(400, dtype=bool)]
    np.testing.assert_allclose(uniformity(rows), np.log(np.exp(-2 * squares).mean()), atol=1e-6)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_spare_columns_change_nothing(similarity, pairs):
    spare = lambda rows, value: jnp.pad(rows, ((0, 0), (0, 2)), constant_values=value)
    columns = jnp.array([True, True, True, False, False])
    expected = comparable(*pairs, similarity)
    for value in (0.0, 5.0, jnp.nan):
        rows = comparable(*(spare(part, value) for part in pairs), similarity, columns)
        np.testing.assert_allclose(jnp.stack(rows)[..., :3], jnp.stack(expected), atol=1e-6)
        np.testing.assert_array_equal(jnp.stack(rows)[..., 3:], 0)
