"""Output spaces: maps from the outputs of an encoder to the space of representations."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from mmcl.part_checks import check_array, part_name

Space = Callable[[Float[Array, "n d"], Bool[Array, " d"]], Float[Array, "n d"]]


def free(outputs: Float[Array, "n d"], dimensions: Bool[Array, " d"]) -> Float[Array, "n d"]:
    """Returns outputs unchanged, 0 in the columns that take no part: float32 [n, d]."""
    return outputs * dimensions[None]


def sphere(outputs: Float[Array, "n d"], dimensions: Bool[Array, " d"]) -> Float[Array, "n d"]:
    """Returns outputs scaled to the unit sphere, in the columns that take part: float32 [n, d].

    A row of zeros stays zero. The sphere has one dimension less than there are columns.
    """
    return unit(free(outputs, dimensions))


def cube(outputs: Float[Array, "n d"], dimensions: Bool[Array, " d"]) -> Float[Array, "n d"]:
    """Returns the logistic function of outputs, in the open unit cube: float32 [n, d].

    This is the space of the paper's theory.
    """
    return free(jax.nn.sigmoid(outputs), dimensions)


def unit(rows: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Returns rows of norm 1; a row of zeros stays zero, with a finite gradient: float32 [n, d]."""
    norm2 = jnp.sum(rows**2, -1, keepdims=True)
    return rows * jax.lax.rsqrt(jnp.where(norm2 > 0, norm2, 1.0))


OUTPUT_SPACES: dict[str, Space] = {"free": free, "sphere": sphere, "cube": cube}
EXTRA_COLUMNS = {"free": 0, "sphere": 1, "cube": 0}  # columns minus dimensions of a space


def in_space(
    part: str | Space, outputs: Float[Array, "n d"], dimensions: Bool[Array, " d"]
) -> Float[Array, "n d"]:
    """Returns outputs in the space with this name in OUTPUT_SPACES, or in that of a function.

    Raises ValueError for a function that changes the shape.
    """
    space = OUTPUT_SPACES[part] if isinstance(part, str) else part
    result = space(outputs, dimensions)
    check_array(f"output space {part_name(part)!r}", result, outputs.shape)
    return result
