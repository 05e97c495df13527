"""Distance: how far points are from a sculpture, a table of strokes that blend into one another.

A stroke is a line with a radius at either end, pressed flat along a direction of its own. Balls,
lozenges, necks, horns, ears and wings all are rows of the same numbers, so that a shape is data.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

Table = Float[Array, "strokes 18"]
Points = Float[Array, "3 *grid"]
Measures = Float[Array, "*grid"]

TINY = 1e-6


def prepare(strokes: Float[np.ndarray, "strokes 14"]) -> Float[np.ndarray, "strokes 18"]:
    """What `sculpture_distance` needs to know of strokes: float32 [strokes, 18].

    A stroke is begin and end (x, y, z each), the radii there, the unit direction along which it is
    pressed flat and how many times flatter it is (1: round), the length over which it blends with
    the strokes before it, and its tint: -1 is black, 0 the colour of the object, 1 white.
    """
    begin, end, radii, normal, rest = np.split(strokes, [3, 6, 8, 11], axis=1)
    axis = end - begin
    along = axis / np.maximum((axis**2).sum(1, keepdims=True), TINY)
    flatness, blend, tint = rest.T
    pressed = np.stack([flatness**2 - 1, flatness**4 - 1, blend, tint], axis=1)
    columns = (begin, axis, along, radii[:, :1], np.diff(radii), normal, pressed)
    return np.concatenate(columns, axis=1).astype(np.float32)


def sculpture_distance(table: Table, points: Points) -> tuple[Measures, Measures]:
    """Signed distance of points to a prepared sculpture and its tint there: float32 [*grid] each.

    A table holds what is at y > 0; the rest mirrors it. Distances are right to first order near the
    surface and roughly right elsewhere.
    """
    x, y, z = points
    across = x, jnp.abs(y), z

    def join(joined, row):
        distance, tint = joined
        other, blend = _stroke_distance(row, across), row[16]
        gap = jnp.clip((distance - other) / blend, -1, 1)
        tint = tint + (row[17] - tint) * (0.5 + 0.5 * gap)
        distance = jnp.minimum(distance, other) - 0.25 * blend * (1 - jnp.abs(gap)) ** 2
        return (distance, tint), None

    first = _stroke_distance(table[0], across), jnp.full_like(x, table[0, 17])
    joined, _ = jax.lax.scan(join, first, table[1:])  # unrolled, it is three times as slow
    return joined


def _stroke_distance(row, points):
    """As if the stroke were round in a space stretched along its normal, over the slope there.

    Far away a flat stroke would seem too near so: there the round stroke that holds it is nearer.
    """
    x, y, z = (point - begin for point, begin in zip(points, row[:3], strict=True))
    share = jnp.clip(x * row[6] + y * row[7] + z * row[8], 0, 1)
    x, y, z = (point - share * axis for point, axis in zip((x, y, z), row[3:6], strict=True))
    square = x * x + y * y + z * z
    out = (x * row[11] + y * row[12] + z * row[13]) ** 2
    radius = row[9] + share * row[10]
    stretched, slope = jnp.sqrt(square + row[14] * out), jnp.sqrt(square + row[15] * out)
    pressed = stretched * (stretched - radius) / (slope + TINY)
    return jnp.maximum(pressed, jnp.sqrt(square) - radius)
