"""Independence: does a representation tell of a latent more than the unbiased latents tell of it?

Kernel test of independence (HSIC; Gretton et al., NIPS 2007) with p-values by permutation.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from probes.identifiability import Split
from probes.predictors.regression import Probe

PERMUTATIONS = 199  # the smallest p is one in so many and one
MEDIAN_ROWS = 512  # that the median distance is taken of


class Independence(NamedTuple):
    """statistic: HSIC, float32 [], 0 or more; p_value: float32 [], in (0, 1]."""

    statistic: Float[Array, ""]
    p_value: Float[Array, ""]


def residual_independence(
    key: Key[Array, ""], probe: Probe, representation: Split, target: Split, *, given: Split
) -> Independence:
    """Tests whether what `given` leaves of a representation is independent of what it leaves of
    a target: a probe fitted on some rows, residuals [m, d] and [m, k] tested on others.

    This is not conditional independence itself. The two agree where both are functions of `given`
    plus noise that does not depend on it. Else a dependence whose shape differs from one value of
    `given` to another can escape, and noise of which `given` sets the scale for both can pose as
    one. What a probe misses of both looks like dependence too, so fit it on several times the
    rows that are tested, with one that can learn the target.

    Chance: p is uniform on (0, 1), for any representation that is a function of `given` and of
    noise of its own; then it is so for every invertible map of it, if the probe can follow. The
    statistic itself is invariant to rotation, shift and scale of the representation (by `ridge`;
    nearly so by others).
    """
    key_probe, key_test = jax.random.split(key)
    width = representation.fit.shape[1]
    both = Split(
        *(jnp.concatenate(part, axis=1) for part in zip(representation, target, strict=True))
    )
    left = residuals(key_probe, probe, both, given)
    return independence_test(key_test, left[:, :width], left[:, width:])


@jax.default_matmul_precision("float32")
def residuals(
    key: Key[Array, ""], probe: Probe, targets: Split, given: Split
) -> Float[Array, "m k"]:
    """What a probe, fitted on the `fit` rows, leaves of targets [n, k] on the test rows."""
    return targets.test - probe(key, given.fit, targets.fit, given.test)


@jax.default_matmul_precision("float32")
def independence_test(
    key: Key[Array, ""], a: Float[Array, "n d"], b: Float[Array, "n e"]
) -> Independence:
    """Tests whether rows of a and b that belong together are independent.

    HSIC with Gaussian kernels, each of the median distance of its rows as bandwidth. Chance: p is
    uniform on (0, 1). The null is invariant to any invertible map of either; the statistic to
    rotation, shift and scale. Needs memory of a few [n, n] float32, whatever the permutations.
    A constant a or b gives statistic 0 and p 1.
    """
    kernel = _gaussian_kernel(a)
    kernel = kernel - kernel.mean(0)[None]
    kernel = kernel - kernel.mean(1)[:, None]
    other = _gaussian_kernel(b)
    hsic_of = lambda order: jnp.mean(kernel * other[order][:, order])
    permuted = lambda key: hsic_of(jax.random.permutation(key, len(a)))
    statistic = hsic_of(jnp.arange(len(a)))
    chance = jax.lax.map(permuted, jax.random.split(key, PERMUTATIONS))
    # a tie counts as chance; sums in another order differ by rounding
    reached = jnp.sum(chance >= statistic - 1e-6 * jnp.abs(statistic))
    return Independence(jnp.maximum(statistic, 0.0), (1.0 + reached) / (1.0 + PERMUTATIONS))


def _gaussian_kernel(rows):
    rows = rows - rows.mean(0)[None]
    few = rows[:: -(-len(rows) // MEDIAN_ROWS)]
    median = jnp.median(_squared_distances(few))
    # most rows are equal, as of a rare label: the mean distance stands in
    scale = jnp.where(median > 0, median, _squared_distances(few).mean())
    return jnp.exp(-_squared_distances(rows) / (2 * jnp.where(scale > 0, scale, 1.0)))


def _squared_distances(rows):
    squares = jnp.sum(rows**2, axis=1)
    apart = squares[:, None] + squares[None] - 2 * rows @ rows.T
    return jnp.maximum(apart, 0.0) * (1 - jnp.eye(len(rows)))
