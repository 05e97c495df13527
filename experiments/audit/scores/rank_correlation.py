"""Rank correlation: Spearman's, also within strata, with permutation test and bootstrap."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

DRAWS = 10_000  # permutations, and samples of the bootstrap
MIN_POINTS = 4  # beyond the number of strata minus one


class RankCorrelation(NamedTuple):
    """A rank correlation of n points, its 95 % interval, and the p-value of its absolute value."""

    value: float
    low: float
    high: float
    p_value: float
    n: int


def rank_correlation(
    x: Float[np.ndarray, " n"],
    y: Float[np.ndarray, " n"],
    strata: Int[np.ndarray, " n"] | None = None,
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
) -> RankCorrelation:
    """Returns Spearman's rank correlation of two variables; tied values have their mean rank.

    The interval is that of the percentile bootstrap over points. The p-value is the fraction of
    `draws` random permutations, and of the observed order, whose correlation is at least as far
    from 0. Both treat the points as independent draws. All numbers but n are NaN if a variable is
    constant or if there are fewer than MIN_POINTS points.

    strata: the stratum of each point. With several of them, ranks are those within a stratum and
            centred there, points are permuted and resampled within their stratum, and each stratum
            beyond the first needs a further point: only differences within strata count.
    """
    strata = np.zeros(len(x), int) if strata is None else strata
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    order = np.concatenate([*members, np.empty(0, int)])  # strata are consecutive from here on
    x, y, sizes = x[order], y[order], [len(indices) for indices in members]
    ranks_x, ranks_y = _centred_ranks(x, sizes), _centred_ranks(y, sizes)
    value = float(_correlation(ranks_x, ranks_y))
    if len(x) < MIN_POINTS + len(sizes) - 1 or np.isnan(value):
        return RankCorrelation(*[float("nan")] * 4, len(x))
    permuted = _permuted(ranks_y, sizes, rng, draws)
    extreme = np.abs(_correlation(ranks_x, permuted)) >= abs(value) - 1e-12
    low, high = _bootstrap_interval(x, y, sizes, rng=rng, draws=draws)
    return RankCorrelation(value, low, high, float((1 + extreme.sum()) / (1 + draws)), len(x))


def _centred_ranks(values: Float[np.ndarray, "*draws n"], sizes: list[int]):
    """Returns the ranks within consecutive strata, minus their means: float64 [*draws, n]."""
    from scipy.stats import rankdata  # noqa: PLC0415  # 90 MB that an audit alone does not need

    parts = np.split(values, np.cumsum(sizes)[:-1], axis=-1)
    return np.concatenate(
        [rankdata(part, axis=-1) - (part.shape[-1] + 1) / 2 for part in parts], axis=-1
    )


def _correlation(a: Float[np.ndarray, "*draws n"], b: Float[np.ndarray, "*draws n"]):
    """Returns the correlation of centred variables, NaN if one of them is constant."""
    with np.errstate(invalid="ignore"):
        return (a * b).sum(-1) / np.sqrt((a * a).sum(-1) * (b * b).sum(-1))


def _permuted(values, sizes: list[int], rng: np.random.Generator, draws: int):
    """Returns permutations within consecutive strata: float64 [draws, n]."""
    parts = np.split(np.tile(values, (draws, 1)), np.cumsum(sizes)[:-1], axis=1)
    return np.concatenate([rng.permuted(part, axis=1) for part in parts], axis=1)


def _bootstrap_interval(x, y, sizes: list[int], *, rng: np.random.Generator, draws: int):
    """Returns the 2.5 % and 97.5 % quantiles over samples in which neither variable is constant."""
    starts = np.cumsum([0, *sizes[:-1]])
    sample = np.concatenate(
        [
            start + rng.integers(size, size=(draws, size))
            for start, size in zip(starts, sizes, strict=True)
        ],
        axis=1,
    )
    drawn = _correlation(_centred_ranks(x[sample], sizes), _centred_ranks(y[sample], sizes))
    defined = drawn[~np.isnan(drawn)]
    return np.quantile(defined, [0.025, 0.975]).tolist() if len(defined) else [float("nan")] * 2
