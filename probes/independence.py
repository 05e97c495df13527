"""Independence: tests of whether a representation and a latent depend on one another.

Kernel test of independence (HSIC; Gretton et al., NIPS 2007) with p-values by permutation, also of
the residuals given the unbiased latents.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from probes.arguments import check_floats, check_rows, check_splits
from probes.columns import at_unit_magnitude, centre
from probes.identifiability import Split
from probes.predictors.regression import Probe, predict

PERMUTATIONS = 199  # the smallest p-value is 1 / (PERMUTATIONS + 1)
MEDIAN_ROWS = 512  # at most that many rows determine the median distance


class Independence(NamedTuple):
    """Result of a test of independence.

    statistic: HSIC, float32 [], 0 or more.
    p_value:   float32 [], in (0, 1].
    """

    statistic: Float[Array, ""]
    p_value: Float[Array, ""]


@partial(jax.jit, static_argnames="probe")
def residual_independence(
    key: Key[Array, ""],
    probe: Probe,
    representation: Split,
    target: Split,
    *,
    given: Split,
) -> Independence:
    """Tests the residuals of a representation and of a target, given `given`, for independence.

    The probe is fitted on the `fit` rows, the residuals of the `test` rows are tested.

    This is not a test of conditional independence. The two agree if representation and target are
    functions of `given` plus noise that does not depend on it. Otherwise the test can miss a
    dependence whose shape varies with `given`, and it can mistake noise for dependence if `given`
    determines its scale in both. Whatever the probe fails to learn of both also looks like
    dependence, so use a probe that can learn the target and several times more `fit` than `test`
    rows.

    By chance, p is uniform on (0, 1): for any representation that is a function of `given` and of
    independent noise, and for every invertible map of it that the probe can learn. The statistic
    is invariant to rotation, shift and scale of the representation with `ridge`, and nearly so with
    other probes.

    representation: float32 [n, d].
    target:         float32 [n, k].
    given:          float32 [n, c].

    Raises ValueError for shapes that do not match, or another dtype.
    """
    check_splits(representation=representation, target=target, given=given)
    key_probe, key_test = jax.random.split(key)
    width = representation.fit.shape[1]
    both = Split(
        *(jnp.concatenate(part, axis=1) for part in zip(representation, target, strict=True))
    )
    of_both = residuals(key_probe, probe, both, given)
    return independence_test(key_test, of_both[:, :width], of_both[:, width:])


@partial(jax.jit, static_argnames="probe")
@jax.default_matmul_precision("float32")
def residuals(
    key: Key[Array, ""], probe: Probe, targets: Split, given: Split
) -> Float[Array, "m k"]:
    """Returns the residuals of targets [n, k] given `given`, on the test rows: float32 [m, k]."""
    check_splits(targets=targets, given=given)
    return targets.test - predict(probe, key, given.fit, targets.fit, queries=given.test)


@jax.jit
@jax.default_matmul_precision("float32")
def independence_test(
    key: Key[Array, ""], a: Float[Array, "n d"], b: Float[Array, "n e"]
) -> Independence:
    """Tests whether a and b, matched by row, are independent.

    HSIC with Gaussian kernels, whose bandwidths are the median distances of the rows of a and of b.
    By chance, p is uniform on (0, 1). The null hypothesis is invariant to any invertible map of a
    or b, the statistic to rotation, shift and scale. A constant a or b gives statistic 0 and p = 1,
    NaN gives NaN.
    Memory is that of a few float32 [n, n], for any number of permutations.
    """
    check_floats(a=a, b=b)
    check_rows(a=a, b=b)
    kernel = _gaussian_kernel(a)
    kernel = kernel - kernel.mean(0)[None]
    kernel = kernel - kernel.mean(1)[:, None]
    other = _gaussian_kernel(b)
    hsic_of = lambda order: jnp.mean(kernel * other[order][:, order])
    permuted = lambda key: hsic_of(jax.random.permutation(key, len(a)))
    statistic = hsic_of(jnp.arange(len(a)))
    null = jax.lax.map(permuted, jax.random.split(key, PERMUTATIONS))
    # ties count as reached; equal sums can differ by rounding, as their order differs
    reached = jnp.sum(null >= statistic - 1e-6 * jnp.abs(statistic))
    p_value = (1.0 + reached) / (1.0 + PERMUTATIONS)
    p_value = jnp.where(jnp.isnan(statistic), jnp.nan, p_value)
    return Independence(jnp.maximum(statistic, 0.0), p_value)


def _gaussian_kernel(rows):
    rows = at_unit_magnitude(centre(rows))
    subset = rows[:: -(-len(rows) // MEDIAN_ROWS)]
    median = jnp.median(_squared_distances(subset))
    # the median is 0 if most rows are equal, as those of a rare label
    scale = jnp.where(median > 0, median, _squared_distances(subset).mean())
    return jnp.exp(-_squared_distances(rows) / (2 * jnp.where(scale > 0, scale, 1.0)))


def _squared_distances(rows):
    squares = jnp.sum(rows**2, axis=1)
    distances = squares[:, None] + squares[None] - 2 * rows @ rows.T
    return jnp.maximum(distances, 0.0) * (1 - jnp.eye(len(rows)))
