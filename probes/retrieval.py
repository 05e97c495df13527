"""Retrieval: recall of the partner of each row among the rows of the other modality."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

from probes.arguments import check_at_least, check_rows
from probes.pair_geometry import (
    DISTANCE,
    DOT,
    ROWS,
    alignment,
    check_pairs,
    comparable,
    modality_gap,
    uniformity,
)

COUNTS = (1, 5, 10)  # numbers of rows that are retrieved
TIED = 1e-6  # largest difference of tied distances, in units of `comparable` rows


class PairScores(NamedTuple):
    """Scores of the representations of pairs, of images x and texts t.

    recall:       float32 [2, counts], of texts for images, and of images for texts.
    modality_gap: float32 [], see `probes.pair_geometry`.
    alignment:    float32 [].
    uniformity:   float32 [2], of images and of texts.
    pairs:        int32 [], the number of pairs, which is the size of the gallery.
    """

    recall: Float[Array, "2 counts"]
    modality_gap: Float[Array, ""]
    alignment: Float[Array, ""]
    uniformity: Float[Array, " 2"]
    pairs: Int[Array, ""]


@partial(jax.jit, static_argnames=("similarity", "counts"))
def pair_scores(
    x: Float[Array, "n d"],
    t: Float[Array, "n d"],
    similarity: str = DISTANCE,
    columns: Bool[Array, " d"] | None = None,
    *,
    counts: tuple[int, ...] = COUNTS,
) -> PairScores:
    """Returns all scores of representations of pairs that need no latents.

    Rows are made `comparable` first, so that no score changes with the scale of representations.

    similarity, columns: as in `probes.pair_geometry.comparable`.
    counts:              as in `recall`.
    """
    x, t = comparable(x, t, similarity, columns)
    of_queries = partial(recall, similarity=similarity, counts=counts)
    return PairScores(
        jnp.stack([of_queries(x, t), of_queries(t, x)]),
        modality_gap(x, t),
        alignment(x, t),
        jnp.stack([uniformity(x), uniformity(t)]),
        jnp.int32(len(x)),
    )


@partial(jax.jit, static_argnames=("similarity", "counts"))
@jax.default_matmul_precision("float32")
def recall(
    queries: Float[Array, "n d"],
    gallery: Float[Array, "n d"],
    similarity: str = DISTANCE,
    counts: tuple[int, ...] = COUNTS,
) -> Float[Array, " counts"]:
    """Returns the fraction of queries whose partner is among the k most similar rows, for each k.

    The partner of query i is row i of the gallery alone; chance is k / n. Rows that are tied with
    the partner are ordered at random, and the result is the expected value: with m equal rows, such
    as those of m images with one caption, the partner is found at k with probability min(1, k / m).
    Rows are tied if their distances from the query, of `comparable` rows, differ by `TIED` or less;
    by the dot product, if their projections on the query do.

    similarity: a name in `probes.pair_geometry.SIMILARITIES`.
    counts:     the values of k.
    """
    check_pairs(queries=queries, gallery=gallery)
    _check_counts(counts)
    queries, gallery = comparable(queries, gallery, similarity)

    def of_query(one):
        index, query = one
        distances = _distances(query, gallery, similarity)
        difference = distances - distances[index]
        first = jnp.sum(difference < -TIED)
        tied = jnp.sum(jnp.abs(difference) <= TIED)
        found = jnp.clip((jnp.array(counts) - first) / jnp.maximum(tied, 1), 0.0, 1.0)
        return jnp.where(jnp.isnan(difference).any(), jnp.nan, found)

    indices = jnp.arange(len(queries))
    return jax.lax.map(of_query, (indices, queries), batch_size=ROWS).mean(0)


@partial(jax.jit, static_argnames="counts")
def recall_of_groups(
    groups: Shaped[Array, "n d"], counts: tuple[int, ...] = COUNTS
) -> Float[Array, " counts"]:
    """Returns the recall if representations contain exactly the given variables, for each k.

    Pairs with equal rows are then indistinguishable, and one of m such pairs is found at k with
    probability min(1, k / m).

    groups: rows of the variables that representations contain, of any dtype; NaN gives NaN.
    counts: the values of k.
    """
    check_rows(groups=groups)
    _check_counts(counts)
    size_of = lambda row: jnp.sum((groups == row[None]).all(1))
    sizes = jax.lax.map(size_of, groups, batch_size=ROWS)
    found = jnp.minimum(1.0, jnp.array(counts)[None] / jnp.maximum(sizes, 1)[:, None]).mean(0)
    return jnp.where(jnp.isnan(groups).any(), jnp.nan, found)


def _distances(query, gallery, similarity):
    """Distances of a query from all rows, or minus the projections of these on the query."""
    if similarity != DOT:
        # differences, as Gram matrices lose the digits of near rows
        return jnp.sqrt(jnp.sum((gallery - query[None]) ** 2, axis=1))
    norm = jnp.sqrt(jnp.sum(query**2))
    return -(gallery @ query) / jnp.where(norm == 0, 1.0, norm)


def _check_counts(counts):
    if not counts:
        raise ValueError(f"counts is {counts}: allowed is one number or more")
    check_at_least(1, **{f"counts[{index}]": count for index, count in enumerate(counts)})
