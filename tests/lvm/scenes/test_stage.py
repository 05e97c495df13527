import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.scenes.rendering import stage as stage_module
from lvm.scenes.rendering.stage import RADIUS, SPREAD, WINDOW, rays, window

set_stage = jax.jit(stage_module.set_stage)
UNROTATED = {"alpha": 0.5, "beta": 0.5, "gamma": 0.5}
PLACES = list(itertools.product(range(3), range(3)))


def scene(**latents):
    integers = {"shape": 0, "x_pos": 1, "y_pos": 1}
    floats = {"s_pos": 0.3, "color": 0.5, "s_color": 0.5, "b_color": 0.5, **UNROTATED}
    arrays = {name: np.int32(latents.get(name, value)) for name, value in integers.items()}
    arrays |= {name: np.float32(latents.get(name, value)) for name, value in floats.items()}
    return lvm.Scenes(**arrays)


def object_position(x_pos, y_pos):
    return np.array([3 * y_pos - 3, 3 * x_pos - 3, 0])


def in_world(stage, vectors):
    """Transforms vectors from the object's axes to the world's, by the camera's directions."""
    right, up, forward = np.array([0, 1, 0]), np.array([-1, 0, 1]), np.array([-1, 0, -1])
    world = np.stack([right, up / 2**0.5, forward / 2**0.5], axis=1)
    return world @ np.asarray(stage.camera) @ np.asarray(vectors)


ROTATED = {"alpha": 0.1, "beta": 0.9, "gamma": 0.7}


@pytest.mark.parametrize("rotation", [UNROTATED, ROTATED])
@pytest.mark.parametrize(("x_pos", "y_pos"), PLACES)
def test_the_layout_is_that_of_causal3dident(x_pos, y_pos, rotation):
    stage = set_stage(scene(x_pos=x_pos, y_pos=y_pos, s_pos=0.2, **rotation))
    np.testing.assert_allclose(stage.camera @ stage.camera.T, np.eye(3), atol=1e-6)
    np.testing.assert_allclose(np.linalg.det(stage.camera), -1, atol=1e-6)  # right, up and forward
    eye = RADIUS * in_world(stage, stage.eye) + object_position(x_pos, y_pos)
    np.testing.assert_allclose(eye, [8, 0, 8], atol=1e-4)
    lamp, angle = RADIUS * in_world(stage, stage.lamp), 2 * np.pi * 0.2
    np.testing.assert_allclose(lamp[:2], [4 * np.cos(angle), 4 * np.sin(angle)], atol=1e-4)
    assert lamp[2] > RADIUS
    np.testing.assert_allclose(in_world(stage, stage.up), [0, 0, 1], atol=1e-5)
    assert stage.ground < -1


def test_rotating_the_object_rotates_the_world_by_the_same_angle():
    original = set_stage(scene())
    for name in ("alpha", "beta", "gamma"):
        rotated = set_stage(scene(**{name: 0.75}))
        between = np.asarray(rotated.camera).T @ np.asarray(original.camera)
        np.testing.assert_allclose(np.trace(between), 1 + 2 * np.cos(np.radians(30)), atol=1e-5)


def test_the_position_of_the_spotlight_is_periodic():
    first, last = (set_stage(scene(s_pos=s_pos)) for s_pos in (0.0, 1.0))
    np.testing.assert_allclose(first.lamp, last.lamp, atol=1e-5)


def test_rays_are_those_of_a_pinhole_camera():
    all_rays = np.asarray(rays(jnp.eye(3), jnp.zeros(2, int), 4, 4)).reshape(3, 4, 4)
    np.testing.assert_allclose(np.linalg.norm(all_rays, axis=0), 1, atol=1e-6)
    across, up = all_rays[:2] / all_rays[2]
    tangents = np.array([-0.75, -0.25, 0.25, 0.75]) * np.tan(np.radians(71 / 2))
    np.testing.assert_allclose(across, np.tile(tangents, (4, 1)), atol=1e-6)
    np.testing.assert_allclose(up, np.tile(-tangents[:, None], (1, 4)), atol=1e-6)
    part = rays(jnp.eye(3), jnp.array([1, 2]), 2, 4)
    np.testing.assert_allclose(part.reshape(3, 2, 2), all_rays[:, 1:3, 2:4], atol=1e-6)


@pytest.mark.parametrize("resolution", [8, 33, 64])
@pytest.mark.parametrize(("x_pos", "y_pos"), PLACES)
def test_the_window_contains_the_ball_of_the_object(x_pos, y_pos, resolution):
    width = int(np.ceil(WINDOW * resolution))
    corner = np.asarray(window(scene(x_pos=x_pos, y_pos=y_pos), resolution, width))
    assert (corner >= 0).all() and (corner + width <= resolution).all()
    around = np.asarray(jax.random.normal(jax.random.key(0), (4000, 3)))
    ball = RADIUS * around / np.linalg.norm(around, axis=1, keepdims=True)
    ray = ball + object_position(x_pos, y_pos) - [8, 0, 8]
    depth = ray @ [-1, 0, -1] / 2**0.5 * SPREAD
    column = (ray[:, 1] / depth + 1) / 2 * resolution
    row = (1 - ray @ [-1, 0, 1] / 2**0.5 / depth) / 2 * resolution
    pixels = np.floor(np.stack([row, column], axis=1))
    pixels = pixels[((pixels >= 0) & (pixels < resolution)).all(1)]
    assert (pixels >= corner).all() and (pixels < corner + width).all()
