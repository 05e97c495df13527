"""Exogenous: the laws of the noise that semantics come of, each of mean 0 and variance 1.

A law is the map of standard normal numbers to its quantiles, so that lanes with different laws
share their draws. What is linear in Gaussian semantics need not be so in others.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax.lax import erf
from jax.scipy.stats import norm
from jaxtyping import Array, Float

Noise = Float[Array, "count n"]


def gaussian(normal: Noise) -> Noise:
    """Standard normal numbers, as they are: float32 [count, n]."""
    return normal


def uniform(normal: Noise) -> Noise:
    """Uniform on [-√3, √3]: float32 [count, n]."""
    return jnp.sqrt(3.0) * erf(normal / jnp.sqrt(2.0))


def laplace(normal: Noise) -> Noise:
    """Density exp(-√2 |ε|) / √2: float32 [count, n]."""
    depth = -jnp.log(2.0) - norm.logcdf(-jnp.abs(normal))
    return jnp.sign(normal) * depth / jnp.sqrt(2.0)


def heavy_tailed(normal: Noise) -> Noise:
    """Student's t with four degrees of freedom, over √2; its kurtosis is infinite.

    Its quantile in closed form is that of Shaw (2006), "Sampling Student's T distribution".
    """
    root = jnp.minimum(2 * jnp.sqrt(norm.cdf(normal) * norm.cdf(-normal)), 1.0)
    ratio = jnp.cos(jnp.arccos(root) / 3) / root
    return jnp.sign(normal) * jnp.sqrt(2 * jnp.maximum(ratio - 1, 0.0))


EXOGENOUS: dict[str, Callable[[Noise], Noise]] = {
    "gaussian": gaussian,
    "uniform": uniform,
    "laplace": laplace,
    "heavy_tailed": heavy_tailed,
}
