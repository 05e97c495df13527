"""March: what rays meet of a sculpture in the ball of radius 1, in steps as long as it is far.

Points and directions have a component a row and a ray a column; directions are of unit length.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from lvm.scenes.rendering.distance import Table, sculpture_distance

Vector = Float[Array, "3"]
Vectors = Float[Array, "3 rays"]
PerRay = Float[Array, " rays"]

SAFE = 0.9  # of a step: distances are only roughly right
FEATHER = 0.15  # pixels beyond the outline that are covered in full
NEARBY = 0.004  # how far apart distances are compared for a normal
CORNERS = np.array([(1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)], np.float32)
OUTWARDS = np.array([0.05, 0.12, 0.22], np.float32)  # where it is felt what hides the sky
HIDING = np.array([0.5, 0.4, 0.3], np.float32)  # at most, at each
DARKEST = 0.15  # share of sky that is left anywhere
PENUMBRA = 1.15  # radius of a ball that holds the soft edges of shadows too
SHARPNESS = 14.0  # of shadows: the smaller the lamp, the sharper
LEAST = 0.5  # share of the way through the ball that the steps of a shadow go at least
START = 0.03  # of a shadow's first look, beyond the point that it falls on


def march(
    table: Table, origin: Vector, direction: Vectors, pixel: float, *, steps: int
) -> tuple[PerRay, PerRay]:
    """How far each ray goes to the sculpture, and what share of its pixel that covers.

    A ray that passes by within the width of a pixel, an angle, is covered in part, which makes
    outlines smooth; it goes to where it is nearest.
    """
    near, far = _through_ball(origin[:, None], direction, 1.0)

    def step(_, carry):
        travel, nearest, angle = carry
        distance, _ = sculpture_distance(table, origin[:, None] + travel[None] * direction)
        nearest = jnp.where(distance < angle * travel, travel, nearest)
        angle = jnp.minimum(angle, distance / travel)
        return jnp.clip(travel + SAFE * distance, near, far), nearest, angle

    _, nearest, angle = jax.lax.fori_loop(0, steps, step, (near, near, jnp.ones_like(near)))
    cover = jnp.clip(1 + FEATHER - angle / pixel, 0, 1)
    return nearest, jnp.where(far > near, cover, 0)


def feel(table: Table, points: Vectors) -> tuple[Vectors, PerRay, PerRay]:
    """Normal, share of open sky, and tint of a sculpture at points of its surface."""
    measure = jax.vmap(lambda points: sculpture_distance(table, points))
    distances, tints = measure(points[None] + NEARBY * CORNERS[..., None])
    slope = jnp.sum(distances[:, None] * CORNERS[..., None], axis=0)
    normal = unit(slope)
    distances, _ = measure(points[None] + normal[None] * OUTWARDS[:, None, None])
    hidden = jnp.sum((1 - distances / OUTWARDS[:, None]) * HIDING[:, None], axis=0)
    return normal, jnp.clip(1 - hidden, DARKEST, 1), jnp.mean(tints, axis=0)


def lit(table: Table, points: Vectors, lamp: Vector, steps: int) -> PerRay:
    """What share of a lamp reaches points: 0 in the shadow of the sculpture, 1 outside of it."""
    direction = unit(lamp[:, None] - points)
    near, far = _through_ball(points, direction, PENUMBRA)
    near = jnp.maximum(near, START)
    least = LEAST * (far - near) / steps

    def step(_, carry):
        travel, light = carry
        distance, _ = sculpture_distance(table, points + travel[None] * direction)
        light = jnp.minimum(light, SHARPNESS * distance / travel)
        return jnp.minimum(travel + jnp.maximum(SAFE * distance, least), far), light

    _, light = jax.lax.fori_loop(0, steps, step, (near, jnp.ones_like(near)))
    return jnp.where(far > near, smooth_step(light), 1)


def unit(vectors: Vectors) -> Vectors:
    """Vectors of length 1; those of length 0 stay."""
    return vectors / jnp.maximum(jnp.linalg.norm(vectors, axis=0, keepdims=True), 1e-9)


def smooth_step(share: PerRay) -> PerRay:
    """A share cut to 0..1, that comes and goes smoothly."""
    share = jnp.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _through_ball(origin, direction, radius):
    """Where rays enter and leave a ball about 0; the same where they pass it by."""
    along = -jnp.sum(origin * direction, axis=0)
    square = radius**2 - jnp.sum(origin * origin, axis=0) + along**2
    reach = jnp.sqrt(jnp.maximum(square, 0))
    near = jnp.maximum(along - reach, 0)
    return near, jnp.maximum(along + reach, near)
