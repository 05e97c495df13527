"""Boosted trees: a strong nonlinear regression probe, by gradient boosting on binned features.

Trees are grown level by level with fixed shapes, so fits run under `jit` and `vmap`. A tree reads
the order of the values of a column alone; the regressions that it corrects read their size.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from probes.columns import deviations
from probes.predictors.regression import check_fit, mlp, ridge, standardize

BINS = 256  # of a column, equally frequent; with fewer, the tails of a column are too coarse
DEPTH = 5  # a tree has at most 2^DEPTH leaves
TREES = 150  # largest number of trees
RATE = 0.1  # fraction of a tree's correction that is applied
LEAF_ROWS = 20  # smallest number of fitted rows in a leaf
HELD_OUT = 10  # one in HELD_OUT rows, the last ones, is held out to choose the number of trees


class _Boosted(NamedTuple):
    """State of boosting, of the fitted rows, the held-out rows and the queries.

    total: predictions by all trees so far.
    best:  predictions by the trees with the smallest held-out error so far.
    error: that error.
    """

    total: Float[Array, " rows"]
    best: Float[Array, " rows"]
    error: Float[Array, ""]


@jax.jit
@jax.default_matmul_precision("float32")
def boosting(
    key: Key[Array, ""],
    features: Float[Array, "n d"],
    targets: Float[Array, "n k"],
    queries: Float[Array, "m d"],
) -> Float[Array, "m k"]:
    """Returns predictions of regressions plus boosted trees for their residuals.

    The regressions are `ridge`, `mlp` and the mean. Of each target, the predictions are those of
    `ridge` and its trees, of `mlp` and its trees, or the average over all three regressions and
    their trees: the ones with the smallest error on held-out rows. These rows also choose the
    number of trees, from 0 to `TREES`. Time grows with n d k, memory with n d.

    Source: Friedman, "Greedy function approximation: a gradient boosting machine", 2001; split
    search on histograms as in Ke et al., "LightGBM", 2017.
    """
    check_fit(features, targets, queries)
    count = len(features)
    fitted = max(count - max(count // HELD_OUT, 1), 1)
    held_out = slice(min(fitted, count - 1), count)
    scale = deviations(targets)
    unit = jnp.where(scale == 0, jnp.inf, scale)[None]
    rows = jnp.concatenate([features, queries])
    bins = _bins(features, rows)

    regress = lambda regression: regression(key, features[:fitted], targets[:fitted], rows)
    predicted = jnp.stack([regress(ridge), regress(mlp), regress(_mean)])
    residuals = jnp.moveaxis((targets[None] - predicted[:, :count]) / unit[None], 1, 2)
    trees = jax.lax.map(lambda row: _boost(bins, row, fitted), residuals.reshape(-1, count))
    trees = jnp.moveaxis(trees.reshape(*residuals.shape[:2], len(rows)), 1, 2)
    corrected = predicted + scale[None, None] * trees
    candidates = corrected.at[2].set(corrected.mean(0))
    errors = jnp.mean((candidates[:, held_out] - targets[None, held_out]) ** 2, axis=1)
    best = jnp.argmin(errors, axis=0)
    return jnp.take_along_axis(candidates[:, count:], best[None, None], axis=0)[0]


def _mean(key, features, targets, queries):
    """A regression on nothing: the mean of each target."""
    del key, features
    return jnp.broadcast_to(targets.mean(0)[None], (len(queries), targets.shape[1]))


def _bins(features: Float[Array, "n d"], rows: Float[Array, "r d"]) -> Int[Array, "r d"]:
    """Returns the bin of every value, from 0 to BINS - 1; a constant column is in bin 0."""
    features, rows = standardize(features, rows)
    edges = jnp.quantile(features, jnp.linspace(0.0, 1.0, BINS + 1)[1:-1], axis=0)
    return jax.vmap(jnp.searchsorted, in_axes=1, out_axes=1)(edges, rows)


def _boost(bins: Int[Array, "rows d"], residual: Float[Array, " n"], fitted: int):
    """Returns predictions of a residual by boosted trees: float32 [rows]."""

    def add_tree(state, _):
        rest = residual[:fitted] - state.total[:fitted]
        leaves = _grow(bins, rest)
        sums = _sums(leaves[:fitted], rest, 2**DEPTH)
        total = state.total + RATE * (sums[:, 0] / jnp.maximum(sums[:, 1], 1.0))[leaves]
        error = error_of(total)
        better = error < state.error
        best = jnp.where(better, total, state.best)
        return _Boosted(total, best, jnp.where(better, error, state.error)), None

    held_out = slice(min(fitted, len(residual) - 1), len(residual))
    error_of = lambda predicted: jnp.mean((residual[held_out] - predicted[held_out]) ** 2)
    none = jnp.zeros(len(bins))
    return jax.lax.scan(add_tree, _Boosted(none, none, error_of(none)), length=TREES)[0].best


def _grow(bins: Int[Array, "rows d"], rest: Float[Array, " fitted"]) -> Int[Array, " rows"]:
    """Returns the leaf of every row in a tree grown on the first rows: from 0 to 2^DEPTH - 1."""
    fitted, width = len(rest), bins.shape[1]
    of_columns = BINS * jnp.arange(width)[None] + bins[:fitted]

    def split(_, nodes):
        index = BINS * width * nodes[:fitted, None] + of_columns
        values = jnp.broadcast_to(rest[:, None], index.shape)
        sums = _sums(index.ravel(), values.ravel(), 2 ** (DEPTH - 1) * width * BINS)
        gains = _gains(sums.reshape(-1, width, BINS, 2)).reshape(-1, width * BINS)
        best = jnp.argmax(gains, axis=1)
        # with no split that reduces the error, all rows take the left branch
        threshold = jnp.where(gains.max(1) > 0, best % BINS, BINS)
        values = jnp.take_along_axis(bins, (best // BINS)[nodes][:, None], axis=1)[:, 0]
        return 2 * nodes + (values > threshold[nodes])

    return jax.lax.fori_loop(0, DEPTH, split, jnp.zeros(len(bins), jnp.int32))


def _gains(sums: Float[Array, "nodes d bins 2"]) -> Float[Array, "nodes d bins"]:
    """Returns the decrease of the squared error by a split after each bin, 0 if not allowed."""
    # cumulative sums by a matrix product, which compiles faster than `cumsum`
    left = jnp.einsum("ndbs,bc->ndcs", sums, jnp.triu(jnp.ones((BINS, BINS))))
    total = left[:, :, -1:]
    explained = lambda part: part[..., 0] ** 2 / jnp.maximum(part[..., 1], 1.0)
    right = total - left
    allowed = jnp.minimum(left[..., 1], right[..., 1]) >= LEAF_ROWS
    return jnp.where(allowed, explained(left) + explained(right) - explained(total), 0.0)


def _sums(index, values, count):
    """Sums of the values at each index and numbers of values: float32 [count, 2]."""
    pairs = jnp.stack([values, jnp.ones_like(values)], axis=1)
    return jax.ops.segment_sum(pairs, index, count)
