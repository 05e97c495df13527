import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lvm.scenes.rendering.distance import prepare, sculpture_distance
from lvm.scenes.rendering.sculptures import SCULPTURES, TABLES, in_unit_ball, read_strokes
from lvm.scenes.sampler import SHAPES

NORMAL = (0.0, 0.0, 1.0)


def stroke(begin, end, radii=(0.5, 0.5), normal=NORMAL, flatness=1.0, blend=0.01, tint=0.0):
    return [*begin, *end, *radii, *normal, flatness, blend, tint]


def measure(strokes, points):
    table = prepare(np.array(strokes, float))
    points = np.array(points, np.float32).reshape(-1, 3).T
    return tuple(map(np.asarray, jax.jit(sculpture_distance)(table, points)))


@pytest.mark.parametrize(
    ("row", "point", "distance"),
    [
        (stroke((0, 0, 0), (0, 0, 0)), (0, 0, 2), 1.5),
        (stroke((0, 0, 0), (0, 0, 0)), (0.1, 0, 0), -0.4),
        (stroke((1, 0, 0), (1, 0, 0)), (1, 3, 4), 4.5),
        (stroke((-1, 0, 0), (1, 0, 0)), (0.3, 0, 2), 1.5),
        (stroke((-1, 0, 0), (1, 0, 0)), (4, 4, 0), 4.5),
        (stroke((0, 0, 0), (2, 0, 0), (0.5, 0.1)), (2, 0, 1), 0.9),
        (stroke((0, 0, 0), (2, 0, 0), (0.5, 0.1)), (1, 0, 1), 0.7),
        (stroke((0, 0, 0), (0, 0, 0), flatness=5.0), (0, 0, 1), 0.9),
        (stroke((0, 0, 0), (0, 0, 0), flatness=5.0), (1, 0, 0), 0.5),
        (stroke((0, 0, 0), (0, 0, 0), normal=(1.0, 0, 0), flatness=5.0), (1, 0, 0), 0.9),
    ],
)
def test_known_distances(row, point, distance):
    found, _ = measure([row], point)
    np.testing.assert_allclose(found, distance, atol=1e-5)


@pytest.fixture
def points(key):
    return np.asarray(jax.random.uniform(key, (500, 3), minval=-1.5, maxval=1.5))


def test_the_distance_to_a_flattened_ball_is_not_overestimated(points):
    # its surface is an ellipsoid
    around = np.random.default_rng(0).normal(size=(4000, 3))
    surface = 0.5 * around / np.linalg.norm(around, axis=1, keepdims=True) * [1, 1, 1 / 8]
    nearest = np.linalg.norm(points[:, None] - surface[None], axis=2).min(1)
    found, _ = measure([stroke((0, 0, 0), (0, 0, 0), flatness=8.0)], points)
    assert (found < nearest + 0.02).all()
    assert (found > nearest / 3 - 0.15).all()


def test_sculptures_are_mirrored(points):
    row = stroke((0.2, 0.5, 0), (0.1, 0.9, 0.3))
    distance, _ = measure([row], points)
    mirrored, _ = measure([row], points * [1, -1, 1])
    np.testing.assert_array_equal(distance, mirrored)


def test_strokes_blend_only_where_they_meet(points):
    rows = [stroke((0, 0, -0.4), (0, 0, -0.4)), stroke((0, 0, 0.4), (0, 0, 0.4), blend=0.3)]
    alone = np.stack([measure([row], points)[0] for row in rows])
    joined, _ = measure(rows, points)
    gain = alone.min(0) - joined
    near = np.abs(alone[0] - alone[1]) < 0.3
    assert near.any() and (~near).any()
    assert (gain[near] >= 0).all()
    np.testing.assert_allclose(gain.max(), 0.075, atol=0.01)  # a quarter of the blend
    np.testing.assert_allclose(gain[~near], 0, atol=1e-6)


def test_each_stroke_has_its_tint():
    rows = [stroke((0, 0, 0), (0, 0, 0), tint=-0.5), stroke((3, 0, 0), (3, 0, 0), tint=1.0)]
    _, tint = measure(rows, [(0.5, 0, 0), (2.5, 0, 0), (1.5, 0, 0)])
    np.testing.assert_allclose(tint, [-0.5, 1.0, 0.25], atol=1e-5)


def test_strokes_that_pad_a_table_change_nothing(points):
    table, size = jnp.asarray(SCULPTURES[0]), len(read_strokes(TABLES[SHAPES[0]]))
    assert size < len(table)
    padded = sculpture_distance(table, jnp.asarray(points.T))
    unpadded = sculpture_distance(table[:size], jnp.asarray(points.T))
    jax.tree.map(np.testing.assert_array_equal, padded, unpadded)


def test_sculptures_have_tables_of_one_size_and_fit_the_unit_ball(points):
    assert SCULPTURES.shape == (7, max(len(read_strokes(t)) for t in TABLES.values()), 18)
    assert SCULPTURES.dtype == np.float32
    assert np.isfinite(SCULPTURES).all()
    outside = jnp.asarray(points[np.linalg.norm(points, axis=1) > 1.001].T)
    surface = jnp.asarray((points / np.linalg.norm(points, axis=1, keepdims=True)).T)
    measure = jax.jit(lambda table, points: sculpture_distance(table, points)[0].min())
    for shape, table in zip(SHAPES, jnp.asarray(SCULPTURES), strict=True):
        assert measure(table, outside) > 0, shape
        assert measure(table, surface) < 0.15, shape
        strokes = in_unit_ball(read_strokes(TABLES[shape]))
        np.testing.assert_allclose(np.linalg.norm(strokes[:, 8:11], axis=1), 1)
        assert (strokes[:, [1, 4]] >= 0).all(), shape
        assert (strokes[:, 6:8] > 0).all(), shape
        assert (strokes[:, 11] >= 0.5).all(), shape
        assert (strokes[:, 12] > 0).all(), shape
        assert (np.abs(strokes[:, 13]) <= 1).all(), shape


@pytest.mark.parametrize("axis", range(3))
def test_no_sculpture_has_a_rotational_symmetry(points, axis):
    measured = jax.jit(lambda table, points: sculpture_distance(table, points)[0])
    others = [other for other in range(3) if other != axis]
    for shape, table in zip(SHAPES, SCULPTURES, strict=True):
        original = measured(jnp.asarray(table), jnp.asarray(points.T))
        for angle in np.arange(30, 360, 30) * np.pi / 180:
            rotated = points.copy()
            cos, sin = np.cos(angle), np.sin(angle)
            rotated[:, others] = points[:, others] @ np.array([[cos, -sin], [sin, cos]])
            change = np.abs(original - measured(jnp.asarray(table), jnp.asarray(rotated.T))).mean()
            assert change > 0.02, (shape, axis, angle)
