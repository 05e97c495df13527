"""Encoding size: the number of unbiased semantics, estimated from representations of pairs.

With more columns than unbiased semantics, the others hold variables that only one modality
contains, or functions of the first ones. docs/encoding_size.md derives the rule.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key

from mmcl.checks import check_fraction, require
from mmcl.modalities import Modalities

SHARED_CORRELATION = 0.95  # smallest correlation between the modalities of a shared column
PARTIAL_CORRELATION = 0.9  # smallest one given the other columns
FLOOR = 1e-6  # of the variance of a principal axis, relative to the largest

Regression = Callable[..., Float[Array, "m k"]]  # (key, features, targets, queries) -> predictions


class EncodingSize(NamedTuple):
    """Estimate of the number of unbiased semantics.

    size:         int32 [], at least 1.
    correlations: float32 [d], of canonical columns between the modalities, on held-out pairs, about
                  decreasing.
    kept:         bool [d], the canonical columns that are counted.
    """

    size: Int[Array, ""]
    correlations: Float[Array, " d"]
    kept: Bool[Array, " d"]


def estimate_encoding_size(
    key: Key[Array, ""],
    fit: Modalities,
    test: Modalities,
    *,
    regression: Regression,
    shared_correlation: Float[Array, ""] | float = SHARED_CORRELATION,
) -> EncodingSize:
    """Returns the number of columns of representations that are shared and not redundant.

    Representations are first rotated to canonical coordinates. Columns whose correlation between
    the modalities is below `shared_correlation` are dropped. Then each column is regressed on the
    others, and its partial correlation is that of its residuals: a function of the others has
    residuals that are noise of each modality. One by one, the column of least partial correlation
    is dropped, as long as it is below 0.9. At least one column is counted.

    fit, test:  representations float32 [n, d] of some thousand pairs to fit on, and of other pairs
                to judge by. Columns of zeros are not counted.
    regression: a nonlinear regression, such as `probes.mlp`.

    Raises ValueError for representations whose shapes do not match, and for a correlation out of
    range.
    """
    check_fraction("shared_correlation", shared_correlation)
    columns = fit.x.shape[-1]
    for name, rows in zip(("fit.t", "test.x", "test.t"), (fit.t, *test), strict=True):
        count = len(fit.x) if name == "fit.t" else len(test.x)
        shape, allowed = list(rows.shape), [count, columns]
        require(f"shape of {name}", shape, shape == allowed, f"{allowed}")
    to_canonical = _canonical_map(fit)
    fit, test = to_canonical(fit), to_canonical(test)
    correlations = _correlations(test)
    shared = (correlations >= shared_correlation).at[0].set(True)
    kept = _drop_redundant(key, fit, test, shared, regression)
    return EncodingSize(kept.sum(dtype=jnp.int32), correlations, kept)


def _canonical_map(z: Modalities) -> Callable[[Modalities], Modalities]:
    """Returns the affine map to canonical columns, fitted on representations."""
    means = Modalities(*(rows.mean(0)[None] for rows in z))
    centred = Modalities(*(rows - mean for rows, mean in zip(z, means, strict=True)))
    white = Modalities(*map(_whitening, centred))
    product = lambda *factors: jnp.linalg.multi_dot(factors, precision="float32")
    cross = product(white.x.T, centred.x.T, centred.t, white.t) / len(z.x)
    left, _, right = jnp.linalg.svd(cross)
    matrices = Modalities(product(white.x, left), product(white.t, right.T))

    def to_canonical(z):
        parts = zip(z, means, matrices, strict=True)
        return Modalities(*(product(rows - mean, matrix) for rows, mean, matrix in parts))

    return to_canonical


def _whitening(centred: Float[Array, "n d"]) -> Float[Array, "d d"]:
    """Returns the matrix to principal axes of variance 1, or 0 along axes without variance."""
    unit = jnp.std(centred, axis=0)
    unit = jnp.where(unit == 0, 1.0, unit)  # columns may differ in scale by orders of magnitude
    rows = centred / unit[None]
    variances, axes = jnp.linalg.eigh(jnp.matmul(rows.T, rows, precision="highest") / len(rows))
    present = variances > FLOOR * variances[-1]
    scale = jnp.where(present, 1 / jnp.sqrt(jnp.where(present, variances, 1.0)), 0.0)
    return axes * scale[None] / unit[:, None]


def _correlations(z: Modalities) -> Float[Array, " d"]:
    """Correlation of each column between the modalities, 0 for a constant one."""
    x, t = (rows - rows.mean(0)[None] for rows in z)
    spread = jnp.sqrt(jnp.sum(x**2, 0) * jnp.sum(t**2, 0))
    return jnp.sum(x * t, 0) / jnp.where(spread == 0, jnp.inf, spread)


def _drop_redundant(
    key, fit: Modalities, test: Modalities, kept: Bool[Array, " d"], regression: Regression
) -> Bool[Array, " d"]:
    """Returns the columns that remain if the most redundant one is dropped as long as there is one.

    A column is redundant if the part of it that the others leave unexplained is not shared: its
    correlation between the modalities is below PARTIAL_CORRELATION.
    """
    mean = (fit.x + fit.t) / 2
    columns = jnp.arange(len(kept))

    def partial_correlation(kept, column):
        # NaN, of a run that diverged, counts as not shared
        return jnp.nan_to_num(regressed(kept, column))

    def regressed(kept, column):
        others = (kept & (columns != column))[None]
        features, *queries = (jnp.where(others, rows, 0.0) for rows in (mean, *test))
        target = lambda rows: jnp.take(rows, column[None], axis=1)
        predicted = regression(key, features, target(mean), jnp.concatenate(queries))
        residuals = jnp.split(jnp.concatenate([target(rows) for rows in test]) - predicted, 2)
        return _correlations(Modalities(*residuals))[0]

    def least_shared(kept):
        dropped = lambda kept, column: jnp.float32(jnp.inf)
        score = lambda column: jax.lax.cond(
            kept[column], partial_correlation, dropped, kept, column
        )
        scores = jax.lax.map(score, columns)
        return jnp.argmin(scores), jnp.min(scores)

    def drop(state):
        kept, (column, _) = state
        kept = kept & (columns != column)
        return kept, least_shared(kept)

    redundant = lambda state: (state[1][1] < PARTIAL_CORRELATION) & (state[0].sum() > 1)
    return jax.lax.while_loop(redundant, drop, (kept, least_shared(kept)))[0]
