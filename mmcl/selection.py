"""Selection: which columns of a representation both modalities share, and which are redundant.

With more columns than unbiased semantics, the others hold what only one modality contains, or
functions of the first ones. docs/selection.md derives the rule.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Key

from mmcl.checks import require
from mmcl.modalities import Modalities

FLOOR = 1e-6  # of the variance of a principal axis, relative to the largest
PARTIAL_MARGIN = 0.1  # by which a partial correlation may be below the threshold

Regression = Callable[..., Float[Array, "m k"]]  # (key, features, targets, queries) -> predictions


class Selection(NamedTuple):
    """An affine map to canonical columns, and which of them are kept.

    matrix:       Modalities of float32 [d, d].
    offset:       Modalities of float32 [d].
    kept:         bool [d].
    correlations: float32 [d], between the modalities, on held-out pairs, about decreasing. NaN
                  before the selection.
    """

    matrix: Modalities
    offset: Modalities
    kept: Bool[Array, " d"]
    correlations: Float[Array, " d"]


def no_selection(columns: Bool[Array, " d"]) -> Selection:
    """Returns the selection that keeps the given columns unchanged, and no others."""
    identity = jnp.eye(len(columns), dtype=jnp.float32)
    zero = jnp.zeros(len(columns), jnp.float32)
    return Selection(
        Modalities(identity, identity), Modalities(zero, zero), columns, zero * jnp.nan
    )


def apply_selection(selection: Selection, z: Modalities) -> Modalities:
    """Returns the canonical columns of representations [n, d], 0 where they are not kept."""

    def of_modality(rows, matrix, offset):
        mapped = jnp.matmul(rows, matrix, precision="float32") + offset[None]
        return jnp.where(selection.kept[None], mapped, 0.0)

    return Modalities(
        *(
            None if rows is None else of_modality(rows, matrix, offset)
            for rows, matrix, offset in zip(z, selection.matrix, selection.offset, strict=True)
        )
    )


def select_columns(
    key: Key[Array, ""],
    fit: Modalities,
    test: Modalities,
    *,
    threshold: Float[Array, ""] | float,
    regression: Regression,
) -> Selection:
    """Returns the canonical columns of representations [n, d] that are shared and not redundant.

    Columns are first rotated to canonical coordinates of equal variance, the mean variance of the
    columns of z. Columns whose correlation between the modalities is below `threshold` are dropped.
    Then each column is regressed on the others, and its correlation is that of its residuals: a
    function of the others has residuals that are noise of each modality. One by one, the column of
    least partial correlation is dropped, as long as it is below `threshold` - 0.1. At least one
    column is kept.

    fit, test:  representations of pairs to fit on, and of other pairs to judge by.
    regression: a nonlinear regression, such as `probes.mlp`.

    Raises ValueError for representations whose shapes do not match.
    """
    columns = fit.x.shape[-1]
    for name, rows in zip(("fit.t", "test.x", "test.t"), (fit.t, *test), strict=True):
        count = len(fit.x) if name == "fit.t" else len(test.x)
        shape, allowed = list(rows.shape), [count, columns]
        require(f"shape of {name}", shape, shape == allowed, f"{allowed}")
    matrix, offset = _canonical_map(fit)
    everything = no_selection(jnp.ones(columns, bool))
    selection = everything._replace(matrix=matrix, offset=offset)
    fit, test = (apply_selection(selection, part) for part in (fit, test))
    correlations = _correlations(test)
    shared = (correlations >= threshold).at[0].set(True)
    kept = _drop_redundant(key, fit, test, shared, threshold - PARTIAL_MARGIN, regression)
    return selection._replace(kept=kept, correlations=correlations)


def _canonical_map(z: Modalities) -> tuple[Modalities, Modalities]:
    """Matrices and offsets that give both modalities canonical coordinates of equal variance."""
    means = Modalities(*(rows.mean(0) for rows in z))
    centred = Modalities(*(rows - mean[None] for rows, mean in zip(z, means, strict=True)))
    white = Modalities(*map(_whitening, centred))
    product = lambda *factors: jnp.linalg.multi_dot(factors, precision="float32")
    cross = product(white.x.T, centred.x.T, centred.t, white.t) / len(z.x)
    left, _, right = jnp.linalg.svd(cross)
    variances = jnp.mean(jnp.concatenate(centred) ** 2, axis=0)
    scale = jnp.sqrt(variances.sum() / jnp.maximum((variances > 0).sum(), 1))
    matrix = Modalities(scale * product(white.x, left), scale * product(white.t, right.T))
    offset = Modalities(
        *(
            -jnp.matmul(mean, part, precision="float32")
            for mean, part in zip(means, matrix, strict=True)
        )
    )
    return matrix, offset


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
    key, fit: Modalities, test: Modalities, kept, least, regression: Regression
) -> Bool[Array, " d"]:
    """Returns the columns that remain if the most redundant one is dropped as long as there is one.

    A column is redundant if the part of it that the others leave unexplained is not shared: its
    correlation between the modalities is below `least`.
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

    redundant = lambda state: (state[1][1] < least) & (state[0].sum() > 1)
    return jax.lax.while_loop(redundant, drop, (kept, least_shared(kept)))[0]
