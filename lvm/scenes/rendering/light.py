"""Light: the colours that surfaces show in the light of a scene.

White light comes from the whole sky and from beside the camera, so that hues of object and ground
show everywhere; the coloured spotlight adds a pool with a soft rim, a shadow, and a glint.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from lvm.scenes.rendering.march import PerRay, Vectors, smooth_step, unit
from lvm.scenes.rendering.stage import Stage

OBJECT_PAINT, SPOTLIGHT_PAINT, GROUND_PAINT = (0.8, 0.95), (0.9, 1.0), (0.6, 0.9)
RIM, POOL = math.cos(math.radians(38)), math.cos(math.radians(27))  # where light ends, and is full
SKY, ABOVE, BESIDE = 0.26, 0.12, 0.3  # strengths of white light; ABOVE is for what faces up
SPOTLIGHT, GLINT = 0.95, 0.45
POLISH = 24  # the greater, the smaller the glint

Color = Float[Array, "3"]  # red, green, blue of linear light


class Surface(NamedTuple):
    """What each ray meets; float32.

    points, normals, gaze: [3, rays], places, and directions out of the surface and of the ray.
    albedo:                [3, rays], the colour in white light.
    sky, gloss:            [rays], shares of open sky, and of the glint that the surface throws.
    """

    points: Vectors
    normals: Vectors
    gaze: Vectors
    albedo: Vectors
    sky: PerRay
    gloss: PerRay


def shine(stage: Stage, spotlight: Color, surface: Surface, lit: PerRay) -> Vectors:
    """The colours of a surface, of which the spotlight reaches a share: float32 [3, rays]."""
    to_lamp = unit(stage.lamp[:, None] - surface.points)
    inside = (stage.lamp / jnp.linalg.norm(stage.lamp) @ to_lamp - RIM) / (POOL - RIM)
    reaching = lit * smooth_step(inside)
    facing = jnp.maximum(jnp.sum(surface.normals * to_lamp, axis=0), 0)
    halfway = jnp.sum(unit(to_lamp - surface.gaze) * surface.normals, axis=0)
    glint = surface.gloss * jnp.maximum(halfway, 0) ** POLISH * jnp.minimum(8 * facing, 1)
    beside = BESIDE * (0.4 + 0.6 * surface.sky) * jnp.maximum(stage.beside @ surface.normals, 0)
    white = surface.sky * (SKY + ABOVE * (stage.up @ surface.normals)) + beside
    spread = (
        surface.albedo * (SPOTLIGHT * reaching * facing)[None] + (GLINT * reaching * glint)[None]
    )
    return surface.albedo * white[None] + spotlight[:, None] * spread


def hue_color(hue: Float[Array, ""], saturation: float, value: float) -> Color:
    """Linear red, green and blue of a hue in [0, 1], by the colour model HSV."""
    distance = jnp.abs((hue * 6 + jnp.array([0.0, 4.0, 2.0])) % 6 - 3)
    return (value * (1 - saturation + saturation * jnp.clip(distance - 1, 0, 1))) ** 2


def tinted(color: Color, tint: PerRay) -> Vectors:
    """A colour blended with black where the tint is below 0, with white where above: [3, rays]."""
    return color[:, None] * (1 - jnp.abs(tint))[None] + jnp.maximum(tint, 0)[None]
