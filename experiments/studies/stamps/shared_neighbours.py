"""Shared neighbours: do the nearest neighbours of a picture share its category or its words?"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from experiments.audit.rate_tables import UNKNOWN
from experiments.audit.rates import wilson
from experiments.audit.words import words_of
from experiments.studies.stamps.picture_colours import colour_fractions
from lvm.datasets.stamps import ENGLISH, Stamps

NEIGHBOURS = (1, 5)
DRAWS = 200  # permutations of the pictures
COMMON = 0.05  # a word of more captions than this fraction is not compared
TIE = 1e-6  # largest random number that breaks ties of distances


class Relation(NamedTuple):
    """Which pairs of stamps are related, and which are compared at all."""

    related: Bool[np.ndarray, "n n"]
    candidates: Bool[np.ndarray, "n n"]


def neighbour_table(
    stamps: Stamps,
    rng: np.random.Generator,
    draws: int = DRAWS,
    show: Callable[[float], object] = lambda fraction: None,
) -> pd.DataFrame:
    """Returns one row per distance, relation and k.

    recall: fraction of queries of which one of the k nearest stamps is related, with Wilson's
        interval; queries are stamps with a related candidate.
    chance: mean recall if pictures are permuted among stamps, `chance_high` its 97.5 % quantile,
        and `p_value` the fraction of permutations, and of the observed order, with a recall at
        least as high. NaN where there are no queries.

    Raises ValueError as `recalls` does.
    """
    pairs = [
        (distance, relation)
        for distance in _distances(stamps, rng).items()
        for relation in _relations(stamps).items()
        if distance[0] != "words" or "category" in relation[0]
    ]
    rows = []
    for number, ((distance, matrix), (relation, pair)) in enumerate(pairs):
        show(number / len(pairs))
        names = {"distance": distance, "relation": relation}
        rows += [{**names, **row} for row in _recall_rows(matrix, pair, rng, draws)]
    return pd.DataFrame(rows)


def recalls(
    distances: Float[np.ndarray, "n n"], relation: Relation, neighbours: tuple[int, ...]
) -> Float[np.ndarray, " k"]:
    """Returns the recall at each number of nearest candidates; NaN if no stamp has a related one.

    Raises ValueError if there are not more stamps than the most neighbours.
    """
    most = max(neighbours)
    if len(distances) <= most:
        raise ValueError(f"there are {len(distances)} stamps: allowed is {most + 1} or more")
    hidden = np.where(relation.candidates, distances, np.inf)
    nearest = np.argpartition(hidden, most, axis=1)[:, :most]
    order = np.argsort(np.take_along_axis(hidden, nearest, 1), axis=1)
    nearest = np.take_along_axis(nearest, order, 1)
    related = relation.related & relation.candidates
    found = np.take_along_axis(related, nearest, 1)[related.any(1)]
    if not len(found):
        return np.full(len(neighbours), np.nan)
    return np.array([found[:, :k].any(1).mean() for k in neighbours])


def _recall_rows(distances, relation: Relation, rng, draws: int) -> Iterator[dict]:
    queries = int((relation.related & relation.candidates).any(1).sum())
    observed = recalls(distances, relation, NEIGHBOURS)
    orders = (rng.permutation(len(distances)) for _ in range(draws))
    drawn = np.array(
        [recalls(distances[np.ix_(order, order)], relation, NEIGHBOURS) for order in orders]
    )
    for k, recall, chance in zip(NEIGHBOURS, observed, drawn.T, strict=True):
        rate = wilson(round(recall * queries), queries) if queries else UNKNOWN
        at_least = (chance >= recall - 1e-12).sum() if queries else np.nan
        yield {
            "k": k,
            "queries": queries,
            "recall": recall,
            "recall_low": rate.low,
            "recall_high": rate.high,
            "chance": chance.mean(),
            "chance_high": np.quantile(chance, 0.975),
            "p_value": (1 + at_least) / (1 + draws),
        }


def _distances(stamps: Stamps, rng: np.random.Generator) -> dict[str, Float[np.ndarray, "n n"]]:
    """Distances of all stamps, by three descriptions, with ties broken at random.

    pixels:  Euclidean, of RGBA of the resized picture, colours times alpha.
    colours: Euclidean, of square roots of `colour_fractions` (Hellinger).
    words:   1 - cosine, of the words of `_rare_words` with weights log(n / frequency).
    """
    alpha = stamps.pictures[..., 3:] / 255
    pixels = np.concatenate([stamps.pictures[..., :3] / 255 * alpha, alpha], axis=-1)
    words = _rare_words(stamps)
    words = words * np.log(len(words) / np.maximum(words.sum(0), 1))
    words /= np.maximum(np.linalg.norm(words, axis=1, keepdims=True), 1e-12)
    exact = {
        "pixels": _squared_distances(pixels.reshape(len(pixels), -1)),
        "colours": _squared_distances(np.sqrt(colour_fractions(stamps.pictures))),
        "words": 1 - words @ words.T,
    }
    return {name: matrix + TIE * rng.random(matrix.shape) for name, matrix in exact.items()}


def _relations(stamps: Stamps) -> dict[str, Relation]:
    """Relations by name; the largest category can be left out, as its pictures may look alike."""
    others = ~np.eye(len(stamps.names), dtype=bool)
    ((largest, _),) = Counter(stamps.categories).most_common(1)
    rest = np.array(stamps.categories) != largest
    category = _equal(stamps.categories)
    elsewhere = others & ~_equal(stamps.subcategories)
    words = _rare_words(stamps)
    return {
        "category": Relation(category, others),
        "category, other subfolder": Relation(category, elsewhere),
        f"category, other subfolder, no {largest}": Relation(
            category, elsewhere & rest[:, None] & rest
        ),
        "a word of the caption": Relation(words @ words.T > 0, others),
        "the whole caption": Relation(_equal(stamps.captions[ENGLISH]), others),
    }


def _equal(values) -> Bool[np.ndarray, "n n"]:
    values = np.array(values)
    return values[:, None] == values


def _rare_words(stamps: Stamps) -> Float[np.ndarray, "n words"]:
    """Returns 1 where an English caption contains a word that at most COMMON of them contain."""
    bags = [set(words_of(text)) for text in stamps.captions[ENGLISH]]
    words = sorted(set().union(*bags))
    contained = np.array([[word in bag for word in words] for bag in bags], float)
    return contained[:, contained.mean(0) <= COMMON]


def _squared_distances(x: Float[np.ndarray, "n size"]) -> Float[np.ndarray, "n n"]:
    x = x - x.mean(0)
    norms = (x * x).sum(1)
    return np.maximum(norms[:, None] + norms - 2 * x @ x.T, 0)
