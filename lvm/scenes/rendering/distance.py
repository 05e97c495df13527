"""Distance: signed distance of points to a sculpture, a table of strokes that blend smoothly.

A stroke is a line segment with a radius at each end, flattened along one direction. Balls,
lozenges, necks, horns, ears and wings are rows of the same 14 numbers, so that a shape is data.
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
    """Returns the table of strokes for `sculpture_distance`: float32 [strokes, 18].

    The columns of a stroke are begin and end (x, y, z each), the radii there, the unit direction
    along which it is flattened and by which factor (1: round), the length over which it blends with
    the strokes before it, and its tint: -1 is black, 0 the colour of the object, 1 white.
    """
    begin, end, radii, normal, scalars = np.split(strokes, [3, 6, 8, 11], axis=1)
    axis = end - begin
    along = axis / np.maximum((axis**2).sum(1, keepdims=True), TINY)
    flatness, blend, tint = scalars.T
    derived = np.stack([flatness**2 - 1, flatness**4 - 1, blend, tint], axis=1)
    columns = (begin, axis, along, radii[:, :1], np.diff(radii), normal, derived)
    return np.concatenate(columns, axis=1).astype(np.float32)


def sculpture_distance(table: Table, points: Points) -> tuple[Measures, Measures]:
    """Returns the signed distances of points to a sculpture and its tints: float32 [*grid] each.

    A table holds the half at y > 0; the sculpture is symmetric. Distances are correct to first
    order near the surface and approximate elsewhere.
    """
    x, y, z = points
    mirrored = x, jnp.abs(y), z
    first = _stroke_distance(table[0], mirrored), jnp.full_like(x, table[0, 17])
    return _join_all(table[1:], mirrored, first)


@jax.jit  # without it, eager calls of the scan compile again for every new closure
def _join_all(rows, points, first):
    """Returns distances and tints `first` after the strokes of `rows` are joined one by one."""

    def join(joined, row):
        distance, tint = joined
        other, blend = _stroke_distance(row, points), row[16]
        gap = jnp.clip((distance - other) / blend, -1, 1)
        tint = tint + (row[17] - tint) * (0.5 + 0.5 * gap)
        distance = jnp.minimum(distance, other) - 0.25 * blend * (1 - jnp.abs(gap)) ** 2
        return (distance, tint), None

    joined, _ = jax.lax.scan(join, first, rows)  # unrolling makes it three times slower
    return joined


def _stroke_distance(row, points):
    """Returns the distance to a round stroke in a space stretched along its normal, over the slope.

    Far away this is too small for a flat stroke, so the distance to the round stroke that encloses
    it is a lower bound.
    """
    x, y, z = (point - begin for point, begin in zip(points, row[:3], strict=True))
    fraction = jnp.clip(x * row[6] + y * row[7] + z * row[8], 0, 1)
    x, y, z = (point - fraction * axis for point, axis in zip((x, y, z), row[3:6], strict=True))
    square = x * x + y * y + z * z
    along_normal = (x * row[11] + y * row[12] + z * row[13]) ** 2
    radius = row[9] + fraction * row[10]
    stretched = jnp.sqrt(square + row[14] * along_normal)
    slope = jnp.sqrt(square + row[15] * along_normal)
    flattened = stretched * (stretched - radius) / (slope + TINY)
    return jnp.maximum(flattened, jnp.sqrt(square) - radius)
