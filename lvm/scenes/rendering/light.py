"""Light: shading of surfaces in the light of a scene.

White light comes from the whole sky and from beside the camera, so that the hues of object and
ground are visible everywhere; the coloured spotlight adds a pool with a soft rim, a shadow, and a
glint.
"""

import math
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lvm.scenes.rendering.march import PerRay, Vectors, smooth_step, unit
from lvm.scenes.rendering.stage import Stage

OBJECT_PAINT, SPOTLIGHT_PAINT, GROUND_PAINT = (0.8, 0.95), (0.9, 1.0), (0.6, 0.9)
RIM, POOL = math.cos(math.radians(38)), math.cos(math.radians(27))  # of the spotlight: end, full
SKY, ABOVE, SIDE_LIGHT = 0.26, 0.12, 0.3  # strengths of white light; ABOVE on upward surfaces
SPOTLIGHT, GLINT = 0.95, 0.45
POLISH = 24  # exponent of the glint; a greater one makes it smaller

Color = Float[Array, "3"]  # red, green, blue of linear light


class Surface(NamedTuple):
    """The surface that each ray hits; float32.

    points, normals: [3, rays], positions, and directions out of the surface.
    directions:      [3, rays], of the rays.
    albedo:          [3, rays], the colour in white light.
    sky, gloss:      [rays], the fraction of open sky, and the strength of the glint.
    """

    points: Vectors
    normals: Vectors
    directions: Vectors
    albedo: Vectors
    sky: PerRay
    gloss: PerRay


def shade(stage: Stage, spotlight: Color, surface: Surface, lit: PerRay) -> Vectors:
    """Returns the colours of a surface, of which the fraction `lit` is lit: float32 [3, rays]."""
    to_lamp = unit(stage.lamp[:, None] - surface.points)
    inside = (stage.lamp / jnp.linalg.norm(stage.lamp) @ to_lamp - RIM) / (POOL - RIM)
    reaching = lit * smooth_step(inside)
    facing = jnp.maximum(jnp.sum(surface.normals * to_lamp, axis=0), 0)
    halfway = jnp.sum(unit(to_lamp - surface.directions) * surface.normals, axis=0)
    glint = surface.gloss * jnp.maximum(halfway, 0) ** POLISH * jnp.minimum(8 * facing, 1)
    beside = jnp.maximum(stage.side_light @ surface.normals, 0)
    side_light = SIDE_LIGHT * (0.4 + 0.6 * surface.sky) * beside
    white = surface.sky * (SKY + ABOVE * (stage.up @ surface.normals)) + side_light
    reflected = (
        surface.albedo * (SPOTLIGHT * reaching * facing)[None] + (GLINT * reaching * glint)[None]
    )
    return surface.albedo * white[None] + spotlight[:, None] * reflected


def hue_color(hue: Float[Array | np.ndarray, ""], saturation: float, value: float) -> Color:
    """Returns linear red, green and blue of a hue in [0, 1], in the HSV model: float32 [3]."""
    distance = jnp.abs((hue * 6 + jnp.array([0.0, 4.0, 2.0])) % 6 - 3)
    return (value * (1 - saturation + saturation * jnp.clip(distance - 1, 0, 1))) ** 2


def tinted(color: Color, tint: PerRay) -> Vectors:
    """Returns a colour blended with black (tint < 0) or white (tint > 0): float32 [3, rays]."""
    return color[:, None] * (1 - jnp.abs(tint))[None] + jnp.maximum(tint, 0)[None]
