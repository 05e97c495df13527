"""Output spaces: where representations live, and how the outputs of an encoder get there."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

Space = Callable[[Float[Array, "n d"], Bool[Array, " d"]], Float[Array, "n d"]]


def free(outputs: Float[Array, "n d"], dimensions: Bool[Array, " d"]) -> Float[Array, "n d"]:
    """Outputs as they are, 0 in the columns that take no part: float32 [n, d]."""
    return outputs * dimensions[None]


def sphere(outputs: Float[Array, "n d"], dimensions: Bool[Array, " d"]) -> Float[Array, "n d"]:
    """The unit sphere in the columns that take part, one dimension fewer; zeros stay zeros."""
    return unit(free(outputs, dimensions))


def cube(outputs: Float[Array, "n d"], dimensions: Bool[Array, " d"]) -> Float[Array, "n d"]:
    """The open unit cube, by a logistic function of each column (as in the paper's theory)."""
    return free(jax.nn.sigmoid(outputs), dimensions)


def unit(rows: Float[Array, "n d"]) -> Float[Array, "n d"]:
    """Rows of norm 1; a row of zeros stays so, with a gradient of finite size."""
    norm2 = jnp.sum(rows**2, -1, keepdims=True)
    return rows * jax.lax.rsqrt(jnp.where(norm2 > 0, norm2, 1.0))


OUTPUT_SPACES: dict[str, Space] = {"free": free, "sphere": sphere, "cube": cube}
SPARE = {"free": 0, "sphere": 1, "cube": 0}  # columns beyond the dimensions of a space
