"""Candidates: the concepts of a group, among which each of its images is assigned to the nearest.

Representations of any source become groups by `make_groups`, which compares directions (cosine
similarity): the nearest of vectors of length 1 has the largest cosine.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

DISTANCES = 2**23  # that are computed at once
SAME = 1e-12  # relative difference of squared distances that is rounding
MIN_IMAGES = 2  # of a concept: one image alone has no interval


class Embeddings(NamedTuple):
    """Representations of images, or of words.

    embeddings: float32 [n, d].
    concepts:   the concept of each row.
    groups:     the group of the concept of each row.
    """

    embeddings: Float[np.ndarray, "n d"]
    concepts: Sequence[str]
    groups: Sequence[str]


class CandidateGroup(NamedTuple):
    """A group of concepts with its images.

    group:    its name.
    concepts: names of its concepts, the candidates for each image.
    texts:    float [concepts, texts, d], representations of the texts of each concept.
    images:   float [n, d], representations of the images.
    labels:   int [n], index of the true concept of each image.
    """

    group: str
    concepts: tuple[str, ...]
    texts: Float[np.ndarray, "concepts texts d"]
    images: Float[np.ndarray, "n d"]
    labels: Int[np.ndarray, " n"]


class Assignment(NamedTuple):
    """The concept of each image, int [n], and the number of images nearest to several concepts."""

    concepts: Int[np.ndarray, " n"]
    ties: int


def make_groups(images: Embeddings, texts: Embeddings) -> list[CandidateGroup]:
    """Returns the groups of the texts, in their order, with representations of length 1.

    Rows of texts with the same group and concept, as for several prompts, become the mean of their
    normalised rows, which is normalised again.

    Raises ValueError as `check_embeddings` does, for different widths, for images of a concept
    without text, and for a concept with fewer than two images.
    """
    check_embeddings("images", images)
    check_embeddings("texts", texts)
    widths = images.embeddings.shape[1], texts.embeddings.shape[1]
    if widths[0] != widths[1]:
        raise ValueError(
            f"embeddings of images have {widths[0]} columns, those of texts {widths[1]}: allowed "
            "is the same number, of one model"
        )
    names = list(dict.fromkeys(zip(texts.groups, texts.concepts, strict=True)))
    check_concepts(names, list(zip(images.groups, images.concepts, strict=True)))
    directions = normalized(images.embeddings)
    words = mean_directions(texts, names)
    return [
        _group(group, names, words, images, directions) for group in dict.fromkeys(texts.groups)
    ]


def check_embeddings(field: str, rows: Embeddings) -> None:
    """Raises ValueError, with the field and the row, for embeddings that have no direction.

    Allowed are finite vectors that are not 0, [n, d], with one concept and one group for each row.
    """
    embeddings = rows.embeddings
    if embeddings.ndim != 2 or 0 in embeddings.shape:
        raise ValueError(
            f"embeddings of {field} have shape {embeddings.shape}: allowed is (n, d), one row or "
            "more"
        )
    for name, values in (("concepts", rows.concepts), ("groups", rows.groups)):
        if len(values) != len(embeddings):
            raise ValueError(
                f"{name} of {field} are {len(values)}: allowed is {len(embeddings)}, one for each "
                "row of embeddings"
            )
        if "" in values:
            raise ValueError(f"{name} of {field} hold '' in row {list(values).index('')}: name it")
    finite = np.isfinite(embeddings).all(1)
    for bad, what in ((~finite, "NaN or infinity"), (~embeddings.any(1), "only 0")):
        if bad.any():
            raise ValueError(
                f"embeddings of {field} hold {what} in row {np.argmax(bad)}: allowed are finite "
                "numbers that are not all 0"
            )


def check_concepts(
    candidates: Sequence[tuple[str, str]], of_images: Sequence[tuple[str, str]]
) -> None:
    """Raises ValueError for images of an unknown concept and a concept with too few images.

    candidates, of_images: (group, concept), once for each concept, and for each image.
    """
    counts = dict.fromkeys(candidates, 0)
    for name in of_images:
        if name not in counts:
            raise ValueError(f"{described(name)} has images but no text: allowed are both")
        counts[name] += 1
    for name, count in counts.items():
        if count < MIN_IMAGES:
            raise ValueError(
                f"{described(name)} has {count} {'image' if count == 1 else 'images'}: allowed is "
                f"{MIN_IMAGES} or more; add images, or leave the concept out"
            )


def described(name: tuple[str, str]) -> str:
    """Returns (group, concept) as text of a message."""
    return f"concept {name[1]!r} of group {name[0]!r}"


def normalized(vectors: Float[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Returns vectors of length 1, float64 [n, d]; their scale does not matter."""
    unit = vectors.astype(np.float64)
    unit /= np.abs(unit).max(1, keepdims=True)  # whose squares neither overflow nor vanish
    return unit / np.linalg.norm(unit, axis=1, keepdims=True)


def mean_directions(
    texts: Embeddings, names: Sequence[tuple[str, str]]
) -> Float[np.ndarray, "names d"]:
    """Returns the mean direction of the texts of each (group, concept), float64 [names, d].

    Raises ValueError for a concept whose texts cancel to 0.
    """
    row_of = {name: row for row, name in enumerate(names)}
    rows = [row_of[name] for name in zip(texts.groups, texts.concepts, strict=True)]
    sums = np.zeros((len(names), texts.embeddings.shape[1]))
    np.add.at(sums, rows, normalized(texts.embeddings))
    cancelled = np.abs(sums).max(1) < SAME
    if cancelled.any():
        raise ValueError(
            f"embeddings of texts of {described(names[np.argmax(cancelled)])} have the mean 0: "
            "allowed are texts that do not cancel"
        )
    return normalized(sums)


def assign(rng: np.random.Generator, group: CandidateGroup) -> Assignment:
    """Returns the concept of the text that is nearest to each image, by squared distance.

    Of concepts that are equally near one is drawn, each with the same probability.
    """
    shape, texts = group.texts.shape[:2], np.concatenate(group.texts).astype(np.float64)
    centre = texts.mean(0)  # far from the origin, differences would be lost to rounding
    texts = texts - centre
    squares = (texts**2).sum(1)
    rows = max(1, DISTANCES // len(texts))
    concepts, ties = [], 0
    for begin in range(0, len(group.images), rows):
        images = group.images[begin : begin + rows].astype(np.float64) - centre
        distances = (squares - 2 * images @ texts.T).reshape(-1, *shape).min(2)
        rounding = SAME * ((images**2).sum(1) + squares.max())
        nearest = distances <= (distances.min(1) + rounding)[:, None]
        ties += int((nearest.sum(1) > 1).sum())
        concepts.append(np.where(nearest, rng.random(nearest.shape), -1.0).argmax(1))
    return Assignment(np.concatenate(concepts), ties)


def _group(group: str, names, words, images: Embeddings, directions) -> CandidateGroup:
    candidates = [row for row, name in enumerate(names) if name[0] == group]
    concepts = tuple(names[row][1] for row in candidates)
    of_group = np.array([name == group for name in images.groups])
    index_of = {concept: index for index, concept in enumerate(concepts)}
    labels = [index_of[images.concepts[row]] for row in np.flatnonzero(of_group)]
    return CandidateGroup(
        group, concepts, words[candidates][:, None], directions[of_group], np.array(labels, int)
    )
