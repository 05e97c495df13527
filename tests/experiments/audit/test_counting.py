import tracemalloc
from itertools import cycle, islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.audit.concepts import make_concepts
from experiments.audit.counting import NO_LABEL, add, count, count_all, told_values

CONCEPTS = make_concepts(
    [
        ("colour", "red", ["red", "crimson"]),
        ("colour", "black", ["black"]),
        ("colour", "black and white", ["black and white"]),
        ("size", "large", ["large", "very large indeed"]),
        ("size", "small", ["small"]),
    ]
)
RED, BLACK, MONOCHROME, LARGE, SMALL = range(5)
NONE = NO_LABEL


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("", []),
        ("a car", []),
        ("a Red car", [RED]),
        ("a reddish car, hundred", []),
        ("red, RED and crimson!", [RED]),
        ("a black-and-white photo", [MONOCHROME]),
        ("black and white and black", [BLACK, MONOCHROME]),
        ("black and red", [RED, BLACK]),
        ("black and", [BLACK]),
        ("very large", [LARGE]),
        ("very large indeed small", [LARGE, SMALL]),
        ("a small black cat on a red mat", [RED, BLACK, SMALL]),
    ],
)
def test_what_a_caption_tells(caption, told):
    assert np.flatnonzero(told_values(CONCEPTS, [caption])[0]).tolist() == told


@pytest.mark.parametrize(
    ("caption", "told"),
    [
        ("one two", [True, False]),
        ("one two three", [True, False]),
        ("two three", [False, True]),
        ("one two two three", [True, True]),
        ("one one two three", [True, False]),
    ],
)
def test_what_a_phrase_has_taken_begins_no_other(caption, told):
    concepts = make_concepts([("a", "x", ["one two"]), ("b", "y", ["two three"])])
    assert told_values(concepts, [caption]).tolist() == [told]


WORDS = [f"w{place}" for place in range(8)]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=12)


@given(TEXTS)
def test_single_words_are_looked_up_as_in_a_set(captions):
    concepts = make_concepts(
        [("a", "a", WORDS[:2]), ("a", "b", WORDS[2:3]), ("c", "c", WORDS[3:5])]
    )
    told = told_values(concepts, captions)
    for row, caption in zip(told, captions, strict=True):
        there = set(caption.split())
        assert row.tolist() == [bool(there & set(of)) for of in (WORDS[:2], WORDS[2:3], WORDS[3:5])]


def test_counts_by_hand():
    captions = ["a red car", "black", " \n", "red or black, large", "black, small", "a tree", "red"]
    labels = [
        [RED, NONE],  # true
        [RED, LARGE],  # wrong; of the size nothing is told
        [RED, LARGE],  # an empty caption
        [BLACK, SMALL],  # true, and red beside it; wrong
        [NONE, SMALL],  # no label; true
        [RED, NONE],  # nothing is told
        [MONOCHROME, NONE],  # wrong
    ]
    counts = count(CONCEPTS, captions, np.array(labels))
    assert (counts.captions, counts.empty) == (6, 1)
    assert counts.told.tolist() == [5, 2]
    assert counts.labelled.tolist() == [5, 3]
    assert counts.compared.tolist() == [4, 2]
    assert counts.wrong.tolist() == [2, 1]
    assert counts.mixed.tolist() == [1, 0]
    assert counts.told_as.tolist() == [3, 3, 0, 1, 1]
    assert counts.compared_as.tolist() == [3, 2, 0, 1, 1]
    assert counts.labelled_as.tolist() == [2, 1, 1, 0, 2]


def same(a, b):
    for name, x, y in zip(a._fields, a, b, strict=True):
        np.testing.assert_array_equal(x, y, name)


LABELLED = st.lists(
    st.tuples(
        st.lists(st.sampled_from(["red", "black", "and", "white", "small", "tree"]), max_size=5),
        st.sampled_from([NONE, RED, BLACK, MONOCHROME]),
        st.sampled_from([NONE, LARGE, SMALL]),
    ),
    max_size=15,
)


@given(LABELLED, st.integers(1, 16))
def test_counts_of_parts_add_up(rows, part):
    captions = [" ".join(words) for words, *_ in rows]
    labels = np.array([of for _, *of in rows], int).reshape(-1, 2)
    whole = count(CONCEPTS, captions, labels)
    same(whole, count_all(CONCEPTS, iter(captions), iter(labels.tolist()), part))
    same(
        whole,
        add(count(CONCEPTS, captions[:4], labels[:4]), count(CONCEPTS, captions[4:], labels[4:])),
    )
    same(whole, count(CONCEPTS, captions[::-1], labels[::-1]))
    assert whole.captions + whole.empty == len(rows)


@given(LABELLED)
def test_no_label_is_as_no_labels(rows):
    captions = [" ".join(words) for words, *_ in rows]
    none = np.full((len(rows), 2), NONE)
    same(count(CONCEPTS, captions), count(CONCEPTS, captions, none))


@pytest.mark.parametrize("part", [1, 2, 3, 4, 100])
@pytest.mark.parametrize(("captions", "labels"), [(3, 2), (3, 0), (3, 4), (0, 2), (4, 8)])
def test_labels_of_another_length(part, captions, labels):
    message = (
        f"there are {captions} rows of captions and {labels} of labels: allowed is a row a capt"
    )
    with pytest.raises(ValueError, match=message):
        count_all(CONCEPTS, ["red"] * captions, [[RED, NONE]] * labels, part)


def test_memory_does_not_grow_with_the_captions():
    def peak(number):
        captions = islice(cycle([f"a red car with number {place}" for place in range(50)]), number)
        tracemalloc.start()
        counts = count_all(CONCEPTS, captions, part=200)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert counts.told.tolist() == [number, 0]
        return most

    peak(400)
    assert peak(12_000) < 1.2 * peak(1_200)
