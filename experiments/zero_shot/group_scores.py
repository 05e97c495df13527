"""Group scores: accuracy and F1 within a group, with bootstrap intervals over images."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from experiments.zero_shot.candidates import CandidateGroup, assign

RESAMPLES = 2000
TAILS = (0.025, 0.975)  # of 95 % intervals


class Interval(NamedTuple):
    """A score and the ends of its 95 % interval; for several scores arrays of one shape."""

    value: Float[np.ndarray, "..."]
    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]


class GroupScores(NamedTuple):
    """The scores of a group.

    confusion:         int [concepts, concepts], images by true concept (rows) and assigned concept.
    ties:              images that are nearest to several concepts, of which one was drawn.
    accuracy_of, f1_of: of each concept [concepts]; the accuracy of a concept is its recall.
    accuracy:          fraction of the images of the group that are assigned to their concept.
    macro_f1:          mean F1 of the concepts.
    """

    group: str
    concepts: tuple[str, ...]
    confusion: Int[np.ndarray, "concepts concepts"]
    ties: int
    accuracy_of: Interval
    f1_of: Interval
    accuracy: Interval
    macro_f1: Interval


def score_group(group: CandidateGroup, seed: int) -> GroupScores:
    """Returns the scores of a group.

    Random draws depend on the seed and the name of the group alone, not on other groups.
    """
    rng_ties, rng_images = np.random.default_rng([seed, *group.group.encode()]).spawn(2)
    assigned, ties = assign(rng_ties, group)
    confusion = confusion_matrix(group.labels, assigned, len(group.concepts))
    images = confusion.sum(1)
    values = _scores(np.diag(confusion), confusion.sum(0), images)
    resampled = _scores(*resample(rng_images, confusion), images)
    intervals = map(_interval, values, resampled)
    return GroupScores(group.group, group.concepts, confusion, ties, *intervals)


def confusion_matrix(
    labels: Int[np.ndarray, " n"], assigned: Int[np.ndarray, " n"], concepts: int
) -> Int[np.ndarray, "concepts concepts"]:
    """Returns the number of images by true concept (rows) and assigned concept (columns)."""
    cells = np.bincount(labels * concepts + assigned, minlength=concepts**2)
    return cells.reshape(concepts, concepts)


def resample(
    rng: np.random.Generator, confusion: Int[np.ndarray, "concepts concepts"]
) -> tuple[Float[np.ndarray, "resamples concepts"], Float[np.ndarray, "resamples concepts"]]:
    """Returns numbers of images in bootstrap resamples: correctly assigned to, and assigned to.

    The images of each concept are drawn with replacement among themselves, so that each concept
    keeps its number of images. Drawing images is drawing cells of the confusion matrix.
    """
    correct, assigned = np.zeros((2, RESAMPLES, len(confusion)))
    for concept, row in enumerate(confusion):
        cells = np.flatnonzero(row)
        drawn = rng.multinomial(row.sum(), row[cells] / row.sum(), RESAMPLES)
        assigned[:, cells] += drawn
        correct[:, concept] = drawn[:, cells == concept].sum(1)
    return correct, assigned


def _scores(correct, assigned, images):
    """Accuracy and F1 of each concept, accuracy and macro-F1, by numbers of images [..., k]."""
    f1 = 2 * correct / (images + assigned)
    return correct / images, f1, correct.sum(-1) / images.sum(), f1.mean(-1)


def _interval(value, resampled) -> Interval:
    return Interval(value, *np.quantile(resampled, TAILS, axis=0))
