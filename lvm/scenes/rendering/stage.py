"""Stage: where camera, ground and spotlight are, in the layout of Causal3DIdent.

All is told from the object's own point of view: it stands still in the ball of radius 1 about 0, by
its own axes, and the world is turned about it.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from lvm.scenes.rendering.march import Vector, Vectors, unit
from lvm.scenes.sampler import Scenes

RADIUS = 3.6  # of the ball that holds the object: 24 to 35 of 64 pixels, and seen in full
APART = 3.0  # from one place of the object to the next
EYE = np.array([8, 0, 8], np.float32)  # of the camera, which looks at the origin
CAMERA = np.array(
    [[0, 1, 0], [-(0.5**0.5), 0, 0.5**0.5], [-(0.5**0.5), 0, -(0.5**0.5)]], np.float32
)
SPREAD = math.tan(math.radians(71) / 2)  # of the field of view, to either side
GROUND = -3.7  # height of the plane
CIRCLE, HEIGHT = 4.0, 6.5  # of the spotlight, about and above the object
BESIDE = np.array([0.5, -0.5, 0.7], np.float32)  # towards the white light beside the camera
LEANED, FACING = math.radians(-25), math.radians(50)  # how an unturned object is shown
TURN = math.radians(120)  # between the object at 0 and at 1 of alpha, beta or gamma
WINDOW = 0.63  # share of the picture's side that holds the object wherever it is


class Stage(NamedTuple):
    """What surrounds the object; all float32, in radii of its ball where they are lengths.

    eye, lamp: [3], places. camera: [3, 3], to the right, up and onwards, a direction a row.
    up, beside: [3], directions to the sky and to the white light. ground: [], height of the plane.
    """

    eye: Vector
    lamp: Vector
    camera: Float[Array, "3 3"]
    up: Vector
    beside: Vector
    ground: Float[Array, ""]


def set_stage(scene: Scenes) -> Stage:
    """The surroundings of the object of one scene."""
    frame, place = _pose(scene).T, _place(scene)
    angle = 2 * jnp.pi * scene.s_pos
    lamp = jnp.stack([CIRCLE * jnp.cos(angle), CIRCLE * jnp.sin(angle), jnp.float32(HEIGHT)])
    return Stage(
        eye=frame @ (EYE - place) / RADIUS,
        lamp=frame @ lamp / RADIUS,
        camera=CAMERA @ frame.T,
        up=frame[:, 2],
        beside=frame @ (BESIDE / np.linalg.norm(BESIDE)),
        ground=(GROUND - place[2]) / RADIUS,
    )


def window(scene: Scenes, resolution: int, width: int) -> Int[Array, "2"]:
    """Row and column where the part of a picture begins that holds the object, `width` wide."""
    right, up, on = CAMERA @ (_place(scene) - EYE)
    middle = jnp.stack([-up, right]) * on / (on**2 - RADIUS**2) / SPREAD  # of the ball's outline
    corner = jnp.round((middle + 1) / 2 * resolution - width / 2).astype(jnp.int32)
    return jnp.clip(corner, 0, resolution - width)


def rays(camera: Float[Array, "3 3"], corner: Int[Array, "2"], width: int, side: int) -> Vectors:
    """Directions through the pixels of a square of a picture, row by row.

    corner: row and column where the square begins; width: its side; side: that of the picture.
    """
    rows, columns = ((begin + jnp.arange(width) + 0.5) / side * 2 - 1 for begin in corner)
    across, down = jnp.tile(columns, width)[None], jnp.repeat(rows, width)[None]
    right, up, on = camera[..., None]
    return unit(on + SPREAD * (across * right - down * up))


def _place(scene):
    """Where the object is in the world: right and down in the picture as its positions grow."""
    x_pos, y_pos = scene.x_pos.astype(jnp.float32), scene.y_pos.astype(jnp.float32)
    return jnp.stack([APART * (y_pos - 1), APART * (x_pos - 1), jnp.float32(0)])


def _pose(scene):
    """The rotation from the object's axes to the world's: float32 [3, 3]."""
    alpha, beta, gamma = ((share - 0.5) * TURN for share in (scene.alpha, scene.beta, scene.gamma))
    shown = _about(1, jnp.float32(LEANED)) @ _about(2, jnp.float32(FACING))
    return shown @ _about(2, gamma) @ _about(1, beta) @ _about(0, alpha)


def _about(axis, angle):
    """The rotation about an axis, which turns the next axis towards the one after it."""
    cos, sin, others = jnp.cos(angle), jnp.sin(angle), np.roll(np.arange(3), -axis)[1:]
    block = jnp.stack([jnp.stack([cos, -sin]), jnp.stack([sin, cos])])
    return jnp.eye(3).at[np.ix_(others, others)].set(block)
