"""March: sphere tracing of a sculpture in the ball of radius 1.

Points and directions have one row per component and one column per ray; directions have unit
length. Lengths are in radii of the ball.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lvm.scenes.rendering.distance import Table, sculpture_distance

Vector = Float[Array, "3"]
Vectors = Float[Array, "3 rays"]
PerRay = Float[Array, " rays"]

STEP_SCALE = 0.9  # of the distance, which is only approximate
FEATHER = 0.15  # width in pixels beyond the outline that is covered in full
DIFFERENCE = 0.004  # step of the finite differences for normals
TETRAHEDRON = np.array([(1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)], np.float32)
OCCLUSION_STEPS = np.array([0.05, 0.12, 0.22], np.float32)  # along the normal
OCCLUSION_WEIGHTS = np.array([0.5, 0.4, 0.3], np.float32)
LEAST_SKY = 0.15  # lower bound of the fraction of open sky
PENUMBRA = 1.15  # radius of a ball that encloses the soft edges of shadows
SHARPNESS = 14.0  # of shadows; a smaller lamp has sharper ones
LEAST_STEPS = 0.5  # fraction of the way through the ball that shadow steps cover at least
SHADOW_START = 0.03  # distance of the first shadow step from the surface


def march(
    table: Table, origin: Vector, direction: Vectors, pixel: float, *, steps: int
) -> tuple[PerRay, PerRay]:
    """Returns the length of each ray to the sculpture, and the fraction of its pixel covered by it.

    `pixel` is the width of a pixel, an angle. The pixel of a ray that misses by less is covered in
    part, which makes outlines smooth; the length is then that to the nearest point of the ray.
    """
    near, far = _through_ball(origin[:, None], direction, 1.0)
    nearest, angle = _nearest(table, origin, direction, (near, far), steps=steps)
    cover = jnp.clip(1 + FEATHER - angle / pixel, 0, 1)
    return nearest, jnp.where(far > near, cover, 0)


def surface_properties(table: Table, points: Vectors) -> tuple[Vectors, PerRay, PerRay]:
    """Returns normals, fractions of open sky, and tints at points of the surface."""
    measure = jax.vmap(lambda points: sculpture_distance(table, points))
    distances, tints = measure(points[None] + DIFFERENCE * TETRAHEDRON[..., None])
    slope = jnp.sum(distances[:, None] * TETRAHEDRON[..., None], axis=0)
    normal = unit(slope)
    distances, _ = measure(points[None] + normal[None] * OCCLUSION_STEPS[:, None, None])
    occlusion = (1 - distances / OCCLUSION_STEPS[:, None]) * OCCLUSION_WEIGHTS[:, None]
    sky = jnp.clip(1 - jnp.sum(occlusion, axis=0), LEAST_SKY, 1)
    return normal, sky, jnp.mean(tints, axis=0)


def lit_fraction(table: Table, points: Vectors, lamp: Vector, steps: int) -> PerRay:
    """Returns the fraction of a lamp that is visible from points: 0 in full shadow, 1 outside."""
    direction = unit(lamp[:, None] - points)
    near, far = _through_ball(points, direction, PENUMBRA)
    near = jnp.maximum(near, SHADOW_START)
    least = LEAST_STEPS * (far - near) / steps
    light = _shadow(table, points, direction, (near, far, least), steps=steps)
    return jnp.where(far > near, smooth_step(light), 1)


def unit(vectors: Vectors) -> Vectors:
    """Returns vectors scaled to length 1; those of length 0 are unchanged."""
    return vectors / jnp.maximum(jnp.linalg.norm(vectors, axis=0, keepdims=True), 1e-9)


def smooth_step(x: PerRay) -> PerRay:
    """Returns the cubic 3x² - 2x³ of x clipped to [0, 1], with slope 0 at both ends."""
    x = jnp.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


# Eager calls of loops compile again for every new closure, hence the jit of these two.
@partial(jax.jit, static_argnames="steps")
def _nearest(table, origin, direction, span, *, steps: int) -> tuple[PerRay, PerRay]:
    """Returns the length of each ray at its nearest point, and the angle to the sculpture there."""
    near, far = span

    def step(_, carry):
        travel, nearest, angle = carry
        distance, _ = sculpture_distance(table, origin[:, None] + travel[None] * direction)
        nearest = jnp.where(distance < angle * travel, travel, nearest)
        angle = jnp.minimum(angle, distance / travel)
        return jnp.clip(travel + STEP_SCALE * distance, near, far), nearest, angle

    _, nearest, angle = jax.lax.fori_loop(0, steps, step, (near, near, jnp.ones_like(near)))
    return nearest, angle


@partial(jax.jit, static_argnames="steps")
def _shadow(table, points, direction, span, *, steps: int) -> PerRay:
    """Returns the light that reaches points past the sculpture, at most 1.

    `span` holds the lengths at which rays enter and leave the ball, and the shortest step.
    """
    near, far, least = span

    def step(_, carry):
        travel, light = carry
        distance, _ = sculpture_distance(table, points + travel[None] * direction)
        light = jnp.minimum(light, SHARPNESS * distance / travel)
        return jnp.minimum(travel + jnp.maximum(STEP_SCALE * distance, least), far), light

    _, light = jax.lax.fori_loop(0, steps, step, (near, jnp.ones_like(near)))
    return light


def _through_ball(origin, direction, radius):
    """Returns the lengths at which rays enter and leave a ball about 0; equal if they miss it."""
    along = -jnp.sum(origin * direction, axis=0)
    square = radius**2 - jnp.sum(origin * origin, axis=0) + along**2
    half_chord = jnp.sqrt(jnp.maximum(square, 0))
    near = jnp.maximum(along - half_chord, 0)
    return near, jnp.maximum(along + half_chord, near)
