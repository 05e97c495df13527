import tracemalloc
from itertools import cycle, islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.audit.concepts import make_concepts
from experiments.audit.counting import NO_LABEL, add, count, count_all, mentioned_values

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
    ("caption", "expected"),
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
def test_mentioned_values_of_a_caption(caption, expected):
    assert np.flatnonzero(mentioned_values(CONCEPTS, [caption])[0]).tolist() == expected


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("one two", [True, False]),
        ("one two three", [True, False]),
        ("two three", [False, True]),
        ("one two two three", [True, True]),
        ("one one two three", [True, False]),
    ],
)
def test_matched_words_begin_no_other_phrase(caption, expected):
    concepts = make_concepts([("a", "x", ["one two"]), ("b", "y", ["two three"])])
    assert mentioned_values(concepts, [caption]).tolist() == [expected]


WORDS = [f"w{index}" for index in range(8)]
TEXTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join), max_size=12)


@given(TEXTS)
def test_single_words_match_like_a_set(captions):
    concepts = make_concepts(
        [("a", "a", WORDS[:2]), ("a", "b", WORDS[2:3]), ("c", "c", WORDS[3:5])]
    )
    mentions = mentioned_values(concepts, captions)
    words_of_values = WORDS[:2], WORDS[2:3], WORDS[3:5]
    for row, caption in zip(mentions, captions, strict=True):
        words = set(caption.split())
        assert row.tolist() == [bool(words & set(of_value)) for of_value in words_of_values]


def test_counts_by_hand():
    captions = ["a red car", "black", " \n", "red or black, large", "black, small", "a tree", "red"]
    labels = [
        [RED, NONE],  # correct
        [RED, LARGE],  # wrong; the caption mentions no size
        [RED, LARGE],  # an empty caption
        [BLACK, SMALL],  # correct, and red as well; wrong
        [NONE, SMALL],  # no label; correct
        [RED, NONE],  # the caption mentions no value
        [MONOCHROME, NONE],  # wrong
    ]
    counts = count(CONCEPTS, captions, np.array(labels))
    assert (counts.captions, counts.empty) == (6, 1)
    assert counts.mentioned.tolist() == [5, 2]
    assert counts.labelled.tolist() == [5, 3]
    assert counts.compared.tolist() == [4, 2]
    assert counts.wrong.tolist() == [2, 1]
    assert counts.mixed.tolist() == [1, 0]
    assert counts.mentions_of_value.tolist() == [3, 3, 0, 1, 1]
    assert counts.compared_mentions_of_value.tolist() == [3, 2, 0, 1, 1]
    assert counts.compared_labels_of_value.tolist() == [2, 1, 1, 0, 2]


def assert_equal(a, b):
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
def test_counts_of_chunks_add_up(rows, chunk):
    captions = [" ".join(words) for words, *_ in rows]
    labels = np.array([row_labels for _, *row_labels in rows], int).reshape(-1, 2)
    total = count(CONCEPTS, captions, labels)
    assert_equal(total, count_all(CONCEPTS, iter(captions), iter(labels.tolist()), chunk))
    assert_equal(
        total,
        add(count(CONCEPTS, captions[:4], labels[:4]), count(CONCEPTS, captions[4:], labels[4:])),
    )
    assert_equal(total, count(CONCEPTS, captions[::-1], labels[::-1]))
    assert total.captions + total.empty == len(rows)


@given(LABELLED)
def test_rows_without_a_label_count_as_no_labels(rows):
    captions = [" ".join(words) for words, *_ in rows]
    none = np.full((len(rows), 2), NONE)
    assert_equal(count(CONCEPTS, captions), count(CONCEPTS, captions, none))


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 100])
@pytest.mark.parametrize(("captions", "labels"), [(3, 2), (3, 0), (3, 4), (0, 2), (4, 8)])
def test_unequal_numbers_of_captions_and_labels_are_refused(chunk, captions, labels):
    message = f"there are {captions} rows of captions and {labels} of labels: allowed is one row"
    with pytest.raises(ValueError, match=message):
        count_all(CONCEPTS, ["red"] * captions, [[RED, NONE]] * labels, chunk)


def test_memory_is_independent_of_the_number_of_captions():
    def peak(number):
        captions = islice(cycle([f"a red car with number {index}" for index in range(50)]), number)
        tracemalloc.start()
        counts = count_all(CONCEPTS, captions, chunk=200)
        peak_bytes = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert counts.mentioned.tolist() == [number, 0]
        return peak_bytes

    peak(400)
    assert peak(12_000) < 1.2 * peak(1_200)
