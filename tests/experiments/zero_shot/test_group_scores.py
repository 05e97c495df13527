"""Scores of a group: equal to scikit-learn's, with intervals of known coverage."""

import numpy as np
import pytest
from sklearn import metrics

from experiments.zero_shot import group_scores
from experiments.zero_shot.candidates import CandidateGroup
from experiments.zero_shot.group_scores import confusion_matrix, resample, score_group


def planted(labels, assigned, concepts, group="g"):
    """A group whose images are nearest to the assigned concepts."""
    axes = np.eye(concepts)
    names = tuple(f"c{index}" for index in range(concepts))
    return CandidateGroup(group, names, axes[:, None], axes[assigned], np.array(labels))


def noisy(seed, images, concepts, accuracy):
    """Labels, and assigned concepts that are right with a probability."""
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % concepts
    step = np.where(rng.random(images) < accuracy, 0, rng.integers(1, concepts, images))
    return labels, (labels + step) % concepts


@pytest.mark.parametrize(("concepts", "accuracy"), [(2, 0.5), (3, 0.9), (12, 0.3), (5, 0.0)])
def test_scores_equal_those_of_scikit_learn(concepts, accuracy):
    labels, assigned = noisy(0, 240, concepts, accuracy)
    scores = score_group(planted(labels, assigned, concepts), seed=0)
    np.testing.assert_array_equal(scores.confusion, metrics.confusion_matrix(labels, assigned))
    of_concept = metrics.precision_recall_fscore_support(labels, assigned, zero_division=0)
    np.testing.assert_allclose(scores.accuracy_of.value, of_concept[1])
    np.testing.assert_allclose(scores.f1_of.value, of_concept[2])
    np.testing.assert_allclose(scores.accuracy.value, metrics.accuracy_score(labels, assigned))
    macro = metrics.f1_score(labels, assigned, average="macro", zero_division=0)
    np.testing.assert_allclose(scores.macro_f1.value, macro)
    assert scores.ties == 0


def test_unassigned_concepts_and_unequal_numbers_of_images():
    labels, assigned = np.repeat([0, 1, 2], [2, 30, 5]), np.zeros(37, int)
    scores = score_group(planted(labels, assigned, 3), seed=0)
    macro = metrics.f1_score(labels, assigned, average="macro", zero_division=0)
    np.testing.assert_allclose(scores.macro_f1.value, macro)
    assert scores.f1_of.value[1:].tolist() == [0, 0]
    assert confusion_matrix(labels, assigned, 3).tolist() == [[2, 0, 0], [30, 0, 0], [5, 0, 0]]


def test_all_correct_or_all_wrong_has_an_interval_of_no_width():
    labels = np.arange(20) % 4
    for assigned, value in ((labels, 1), ((labels + 1) % 4, 0)):
        scores = score_group(planted(labels, assigned, 4), seed=0)
        for interval in (scores.accuracy_of, scores.f1_of, scores.accuracy, scores.macro_f1):
            assert all((end == value).all() for end in interval)


def test_a_group_of_one_concept_scores_one():
    scores = score_group(planted([0, 0, 0], [0, 0, 0], 1), seed=0)
    assert scores.accuracy == scores.macro_f1 == (1, 1, 1)


def test_resamples_draw_images_with_replacement():
    """Counts have the mean and variance of drawing images of a concept with replacement."""
    rng = np.random.default_rng(0)
    confusion = np.array([[60, 40, 0], [0, 10, 10], [3, 0, 0]])
    correct, assigned = resample(rng, confusion)
    np.testing.assert_allclose(correct.mean(0), [60, 10, 0], atol=0.4)
    np.testing.assert_allclose(correct.var(0), [100 * 0.24, 20 * 0.25, 0], rtol=0.1)
    np.testing.assert_allclose(assigned.mean(0), confusion.sum(0), atol=0.4)
    assert (assigned.sum(1) == confusion.sum()).all()
    np.testing.assert_array_equal(correct[:, 2], 0)


def test_intervals_cover_the_planted_accuracy():
    """At a true accuracy of 0.8, with 200 images, about 95 of 100 intervals contain it."""
    covered = np.zeros(3)
    for seed in range(150):
        scores = score_group(planted(*noisy(seed, 200, 4, 0.8), 4), seed)
        # errors are spread evenly, so that recall and F1 of every concept are 0.8 too
        for index, (value, low, high) in enumerate(
            (scores.accuracy, scores.macro_f1, [part[0] for part in scores.accuracy_of])
        ):
            assert low <= value <= high
            covered[index] += low <= 0.8 <= high
    assert ((covered / 150 > 0.88) & (covered / 150 < 0.99)).all(), covered / 150


def test_scores_depend_on_the_seed_and_the_group_alone():
    group = planted(*noisy(0, 60, 3, 0.6), 3)
    same, other = score_group(group, 0), score_group(group, 1)
    np.testing.assert_array_equal(same.accuracy_of, score_group(group, 0).accuracy_of)
    assert (same.accuracy.value, same.accuracy.low) == (other.accuracy.value, same.accuracy.low)
    assert np.any(np.array(same.accuracy_of) != np.array(other.accuracy_of))
    renamed = score_group(group._replace(group="h"), 0)
    assert np.any(np.array(same.accuracy_of) != np.array(renamed.accuracy_of))


def test_tied_images_are_at_chance():
    """Words without meaning: all concepts have one representation."""
    labels = np.arange(4000) % 4
    group = CandidateGroup("g", tuple("abcd"), np.ones((4, 1, 2)), np.ones((4000, 2)), labels)
    scores = score_group(group, 0)
    assert scores.ties == 4000
    np.testing.assert_allclose(scores.f1_of.value, 0.25, atol=0.03)
    assert scores.accuracy.low < 0.25 < scores.accuracy.high
    assert group_scores.RESAMPLES == 2000
