"""Groups of embeddings, and the nearest concept of each image."""

import numpy as np
import pytest

from experiments.zero_shot import candidates
from experiments.zero_shot.candidates import CandidateGroup, Embeddings, assign, make_groups

AXES = np.eye(3, dtype=np.float32)


def rng():
    return np.random.default_rng(0)


def embeddings(rows, concepts, group="animal"):
    return Embeddings(np.array(rows, np.float32), concepts, [group] * len(concepts))


def two_each(*concepts, group="animal"):
    """Two images of each concept, on the axis of its position."""
    rows = [AXES[index] for index in range(len(concepts)) for _ in range(2)]
    return embeddings(rows, [concept for concept in concepts for _ in range(2)], group)


def joined(*parts):
    stacked = np.concatenate([part.embeddings for part in parts])
    names = lambda field: [name for part in parts for name in getattr(part, field)]
    return Embeddings(stacked, names("concepts"), names("groups"))


def test_images_are_compared_with_concepts_of_their_group_alone():
    images = joined(two_each("dog", "cat"), two_each("red", "blue", group="colour"))
    texts = joined(
        embeddings([AXES[0], AXES[2]], ["dog", "cat"]),
        embeddings([AXES[1], AXES[0]], ["blue", "red"], "colour"),
    )
    animal, colour = make_groups(images, texts)
    assert (animal.group, animal.concepts) == ("animal", ("dog", "cat"))
    assert (colour.group, colour.concepts) == ("colour", ("blue", "red"))
    assert animal.labels.tolist() == [0, 0, 1, 1]
    assert colour.labels.tolist() == [1, 1, 0, 0]
    assert assign(rng(), colour).concepts.tolist() == [1, 1, 0, 0]
    assert assign(rng(), animal).concepts[:2].tolist() == [0, 0]


def test_only_the_direction_of_an_embedding_matters():
    scale = np.array([[1e-30], [1e30], [1], [3]], np.float32)
    images = two_each("dog", "cat")
    images = images._replace(embeddings=images.embeddings * scale)
    (group,) = make_groups(images, embeddings([100 * AXES[0], 0.1 * AXES[1]], ["dog", "cat"]))
    np.testing.assert_allclose(np.linalg.norm(group.images, axis=1), 1)
    assert assign(rng(), group).concepts.tolist() == [0, 0, 1, 1]


def test_several_texts_of_a_concept_become_their_mean_direction():
    texts = embeddings([2 * AXES[0], AXES[2], 5 * AXES[1]], ["dog", "cat", "dog"])
    (group,) = make_groups(two_each("dog", "cat"), texts)
    np.testing.assert_allclose(group.texts, [[[0.5**0.5, 0.5**0.5, 0]], [[0, 0, 1]]])


def test_texts_that_cancel_are_refused():
    texts = embeddings([AXES[0], -2 * AXES[0], AXES[1]], ["dog", "dog", "cat"])
    with pytest.raises(ValueError, match="concept 'dog' of group 'animal' have the mean 0"):
        make_groups(two_each("dog", "cat"), texts)


def test_ties_are_drawn_among_the_nearest_and_counted():
    texts = np.concatenate([AXES[[0, 0, 0]], AXES[[1]]]) + 1e4
    images = np.concatenate([np.tile(AXES[0], (3000, 1)), AXES[[1]]]) + 1e4
    group = CandidateGroup("g", tuple("abcd"), texts[:, None], images, np.zeros(3001, int))
    concepts, ties = assign(rng(), group)
    assert ties == 3000
    assert concepts[-1] == 3
    np.testing.assert_allclose(np.bincount(concepts[:-1]) / 3000, 1 / 3, atol=0.04)


def test_near_ties_are_no_ties():
    texts, images = np.array([[[1, 0]], [[1, 1e-6]]]), np.array([[1, 0.4e-6], [1, 0.6e-6]])
    group = CandidateGroup("g", ("a", "b"), texts, images, np.array([0, 1]))
    concepts, ties = assign(rng(), group)
    assert (concepts.tolist(), ties) == ([0, 1], 0)


def test_the_nearest_of_several_texts_of_a_concept_counts(monkeypatch):
    texts = np.array([[[0, 0], [10, 0]], [[4, 0], [0, 10]]], float)
    images = np.array([[9, 0], [1, 0], [3, 0], [0, 8]], float)
    group = CandidateGroup("g", ("a", "b"), texts, images, np.zeros(4, int))
    assert assign(rng(), group).concepts.tolist() == [0, 0, 1, 1]
    monkeypatch.setattr(candidates, "DISTANCES", 9)  # images are compared in parts
    assert assign(rng(), group).concepts.tolist() == [0, 0, 1, 1]


def test_a_single_concept_gets_every_image():
    (group,) = make_groups(two_each("dog"), embeddings([-AXES[0]], ["dog"]))
    assert assign(rng(), group).concepts.tolist() == [0, 0]


IMAGES, TEXTS = two_each("dog", "cat"), embeddings(AXES[:2], ["dog", "cat"])
NAN = IMAGES.embeddings + np.float32([[0], [0], [np.nan], [0]])


@pytest.mark.parametrize(
    ("images", "texts", "message"),
    [
        (IMAGES._replace(embeddings=NAN), TEXTS, "images hold NaN or infinity in row 2"),
        (IMAGES, TEXTS._replace(embeddings=0 * AXES[:2]), "texts hold only 0 in row 0"),
        (
            IMAGES._replace(embeddings=IMAGES.embeddings[:, :2]),
            TEXTS,
            "images have 2 columns, those of texts 3: allowed is the same number",
        ),
        (IMAGES._replace(embeddings=AXES), TEXTS, "concepts of images are 4: allowed is 3"),
        (IMAGES, TEXTS._replace(groups=["animal"]), "groups of texts are 1: allowed is 2"),
        (IMAGES._replace(embeddings=AXES[0]), TEXTS, r"images have shape \(3,\): allowed is"),
        (IMAGES._replace(concepts=["dog", "dog", "", "cat"]), TEXTS, "hold '' in row 2"),
        (
            IMAGES._replace(concepts=["dog", "dog", "cat", "cow"]),
            TEXTS,
            "concept 'cow' of group 'animal' has images but no text",
        ),
        (
            two_each("dog"),
            TEXTS,
            "concept 'cat' of group 'animal' has 0 images: allowed is 2 or more",
        ),
        (
            IMAGES._replace(concepts=["dog", "dog", "dog", "cat"]),
            TEXTS,
            "concept 'cat' of group 'animal' has 1 image: allowed is 2 or more",
        ),
    ],
)
def test_errors_name_the_field_its_value_and_what_is_allowed(images, texts, message):
    with pytest.raises(ValueError, match=message):
        make_groups(images, texts)
