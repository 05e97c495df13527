"""Stage: positions of camera, ground and spotlight, in the layout of Causal3DIdent.

All positions are in the coordinates of the object: it is fixed in the ball of radius 1 about 0, and
the world is rotated about it.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lvm.scenes.rendering.march import Vector, Vectors, unit
from lvm.scenes.sampler import Scenes

RADIUS = 3.6  # of the ball that encloses the object: 24 to 35 of 64 pixels, never cropped
SPACING = 3.0  # between neighbouring positions of the object
EYE = np.array([8, 0, 8], np.float32)  # of the camera, which looks at the origin
CAMERA = np.array(
    [[0, 1, 0], [-(0.5**0.5), 0, 0.5**0.5], [-(0.5**0.5), 0, -(0.5**0.5)]], np.float32
)
SPREAD = math.tan(math.radians(71) / 2)  # tangent of half the field of view
GROUND = -3.7  # height of the plane
CIRCLE, HEIGHT = 4.0, 6.5  # radius and height of the circle of the spotlight
SIDE_LIGHT = np.array([0.5, -0.5, 0.7], np.float32)  # direction to the light beside the camera
TILT, HEADING = math.radians(-25), math.radians(50)  # of an object without rotation
ROTATION_RANGE = math.radians(120)  # of alpha, beta and gamma between 0 and 1
WINDOW = 0.63  # side of a square that contains the object, as a fraction of the image's side


class Stage(NamedTuple):
    """Surroundings of the object, in its coordinates; float32, lengths in radii of its ball.

    eye, lamp:      [3], positions of camera and spotlight.
    camera:         [3, 3], unit vectors to the right, up and forward, one per row.
    up, side_light: [3], directions to the sky and to the white light beside the camera.
    ground:         [], height of the plane.
    """

    eye: Vector
    lamp: Vector
    camera: Float[Array | np.ndarray, "3 3"]
    up: Vector
    side_light: Vector
    ground: Float[Array, ""]


def set_stage(scene: Scenes) -> Stage:
    """Returns the surroundings of the object of one scene."""
    frame, position = _pose(scene).T, _object_position(scene)
    angle = 2 * jnp.pi * scene.s_pos
    lamp = jnp.stack([CIRCLE * jnp.cos(angle), CIRCLE * jnp.sin(angle), jnp.float32(HEIGHT)])
    return Stage(
        eye=frame @ (EYE - position) / RADIUS,
        lamp=frame @ lamp / RADIUS,
        camera=CAMERA @ frame.T,
        up=frame[:, 2],
        side_light=frame @ (SIDE_LIGHT / np.linalg.norm(SIDE_LIGHT)),
        ground=(GROUND - position[2]) / RADIUS,
    )


def window(scene: Scenes, resolution: int, width: int) -> Int[Array, "2"]:
    """Returns the first row and column of the `width` wide square that contains the object."""
    right, up, forward = CAMERA @ (_object_position(scene) - EYE)
    # middle of the outline of the ball
    middle = jnp.stack([-up, right]) * forward / (forward**2 - RADIUS**2) / SPREAD
    corner = jnp.round((middle + 1) / 2 * resolution - width / 2).astype(jnp.int32)
    return jnp.clip(corner, 0, resolution - width)


def rays(
    camera: Float[Array | np.ndarray, "3 3"], corner: Int[Array, "2"], width: int, side: int
) -> Vectors:
    """Returns the directions through the pixels of a square of an image, row by row.

    corner: first row and column of the square; width: its side; side: the side of the image.
    """
    rows, columns = ((first + jnp.arange(width) + 0.5) / side * 2 - 1 for first in corner)
    across, down = jnp.tile(columns, width)[None], jnp.repeat(rows, width)[None]
    right, up, forward = camera[..., None]
    return unit(forward + SPREAD * (across * right - down * up))


def _object_position(scene):
    """Returns the object's position in the world; x_pos moves it right, y_pos down in the image."""
    x_pos, y_pos = scene.x_pos.astype(jnp.float32), scene.y_pos.astype(jnp.float32)
    return jnp.stack([SPACING * (y_pos - 1), SPACING * (x_pos - 1), jnp.float32(0)])


def _pose(scene):
    """Returns the rotation from the object's axes to the world's: float32 [3, 3]."""
    alpha, beta, gamma = (
        (turn - 0.5) * ROTATION_RANGE for turn in (scene.alpha, scene.beta, scene.gamma)
    )
    default = _rotation(1, jnp.float32(TILT)) @ _rotation(2, jnp.float32(HEADING))
    return default @ _rotation(2, gamma) @ _rotation(1, beta) @ _rotation(0, alpha)


def _rotation(axis, angle):
    """Returns the rotation about an axis: the next axis turns towards the one after it."""
    cos, sin, others = jnp.cos(angle), jnp.sin(angle), np.roll(np.arange(3), -axis)[1:]
    block = jnp.stack([jnp.stack([cos, -sin]), jnp.stack([sin, cos])])
    return jnp.eye(3).at[np.ix_(others, others)].set(block)
