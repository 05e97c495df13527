import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lvm.scenes.rendering import march as march_module
from lvm.scenes.rendering.distance import prepare
from lvm.scenes.rendering.march import unit

march = jax.jit(march_module.march, static_argnums=3, static_argnames="steps")
surface_properties = jax.jit(march_module.surface_properties)
lit_fraction = jax.jit(march_module.lit_fraction, static_argnums=3)
BALL = [0, 0, 0, 0, 0, 0, 0.5, 0.5, 0, 0, 1, 1, 0.01, 0.4]
NARROW = 0.001  # a pixel


def table(*strokes):
    return jnp.asarray(prepare(np.array(strokes, float)))


def columns(*vectors):
    return jnp.array(vectors, jnp.float32).T


@pytest.mark.parametrize("steps", [40, 80])
def test_rays_stop_at_a_ball_or_miss_it(steps):
    aims = columns((-3, 0, 0), (-3, 0.3, 0), (-3, 0, -0.4), (-3, 0.6, 0), (-3, 0, 2), (3, 0, 0))
    origin = jnp.array([3.0, 0, 0])
    travel, cover = march(table(BALL), origin, unit(aims), NARROW, steps=steps)
    np.testing.assert_array_equal(cover, [1, 1, 1, 0, 0, 0])
    points = np.asarray(origin[:, None] + travel[None] * unit(aims))
    np.testing.assert_allclose(np.linalg.norm(points, axis=0)[:3], 0.5, atol=1e-3)
    np.testing.assert_allclose(points[:, 0], [0.5, 0, 0], atol=1e-3)


def test_pixels_at_the_outline_are_covered_in_part():
    origin, pixel = jnp.array([3.0, 0, 0]), 0.02
    edge = np.arcsin(0.5 / 3)  # the angle of tangent rays
    angles = edge + pixel * np.array([-0.5, 0.05, 0.5, 0.8, 1.5])
    aims = jnp.asarray(np.stack([-np.cos(angles), np.sin(angles), 0 * angles]), jnp.float32)
    _, cover = march(table(BALL), origin, aims, pixel, steps=60)
    np.testing.assert_allclose(cover, [1, 1, 0.65, 0.35, 0], atol=0.06)


def test_the_normal_of_a_ball_points_outwards():
    points = 0.5 * unit(columns((1, 0, 0), (0.3, 1, -1), (-1, 0.1, 2)))
    normal, sky, tint = surface_properties(table(BALL), points)
    np.testing.assert_allclose(normal, unit(points), atol=0.01)
    np.testing.assert_allclose(sky, 1, atol=0.01)
    np.testing.assert_allclose(tint, 0.4, atol=1e-6)


def test_a_corner_has_less_open_sky():
    beside = [0.8, 0, 0, 0.8, 0, 0, 0.5, 0.5, 0, 0, 1, 1, 0.01, 0]
    points = columns((0.35, 0, 0.357), (-0.5, 0, 0))
    _, sky, _ = surface_properties(table(BALL, beside), points)
    assert sky[0] < 0.8
    np.testing.assert_allclose(sky[1], 1, atol=0.01)


def test_points_behind_the_sculpture_are_in_shadow():
    lamp = jnp.array([0.0, 0, 2])
    points = columns((0, 0, -1), (0.2, 0, -3), (2, 0, -1), (0, 0, 0.6), (0, 3, 1))
    lit = lit_fraction(table(BALL), points, lamp, 40)
    np.testing.assert_allclose(lit, [0, 0, 1, 1, 1], atol=0.01)


def test_the_edge_of_a_shadow_is_softer_far_away():
    lamp, across = jnp.array([0.0, 0, 2]), np.linspace(0, 6, 400)
    widths = []
    for depth in (-1.0, -4.0):
        line = jnp.asarray(np.stack([across, 0 * across, 0 * across + depth]), jnp.float32)
        lit = np.asarray(lit_fraction(table(BALL), line, lamp, 60))
        assert (np.diff(lit) > -0.01).all()
        widths.append(np.mean((lit > 0.1) & (lit < 0.9)))
    assert 0 < widths[0] < widths[1]
