"""Noise laws: distributions of the exogenous noise of semantics, with mean 0 and variance 1.

Each law is a map from standard normal numbers to quantiles, so lanes with different laws share
their random numbers.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
from jax.lax import erf
from jax.scipy.stats import norm
from jaxtyping import Array, Float

from lvm.checks import check_result

Noise = Float[Array, "count n"]


def gaussian(normal: Noise) -> Noise:
    """Returns standard normal numbers unchanged: float32 [count, n]."""
    return normal


def uniform(normal: Noise) -> Noise:
    """Returns numbers uniform on [-√3, √3]: float32 [count, n]."""
    return jnp.sqrt(3.0) * erf(normal / jnp.sqrt(2.0))


def laplace(normal: Noise) -> Noise:
    """Returns Laplace numbers, density exp(-√2 |ε|) / √2: float32 [count, n]."""
    depth = -jnp.log(2.0) - norm.logcdf(-jnp.abs(normal))
    return jnp.sign(normal) * depth / jnp.sqrt(2.0)


def heavy_tailed(normal: Noise) -> Noise:
    """Returns Student's t numbers with four degrees of freedom, divided by √2: float32 [count, n].

    The kurtosis is infinite. The quantile function is that of Shaw (2006), "Sampling Student's T
    distribution".
    """
    root = jnp.minimum(2 * jnp.sqrt(norm.cdf(normal) * norm.cdf(-normal)), 1.0)
    ratio = jnp.cos(jnp.arccos(root) / 3) / root
    return jnp.sign(normal) * jnp.sqrt(2 * jnp.maximum(ratio - 1, 0.0))


NOISE_LAWS: dict[str, Callable[[Noise], Noise]] = {
    "gaussian": gaussian,
    "uniform": uniform,
    "laplace": laplace,
    "heavy_tailed": heavy_tailed,
}


class CheckedNoise(NamedTuple):
    """A noise law of a user's own, with a check of its result when it is traced."""

    name: str
    function: Callable[[Noise], Noise]

    def __call__(self, normal: Noise) -> Noise:
        """Returns the result of the function; raises ValueError for another shape or dtype."""
        result = self.function(normal)
        check_result(f"noise law {self.name!r}", result, normal)
        return result
