import numpy as np
import pytest

from experiments.audit.concepts import label_key, make_concepts

ROWS = [
    ("colour", "red", ["red", "Crimson"]),
    ("size", "large", ["large"]),
    ("colour", "black and white", ["black-and-white"]),
    ("colour", "red", ["dark red"]),
    ("colour", "black", ["black"]),
]


def test_values_are_in_order_of_groups_and_the_longest_phrase_is_first():
    concepts = make_concepts(ROWS)
    assert concepts.groups == ("colour", "size")
    assert concepts.values == ("red", "black and white", "black", "large")
    np.testing.assert_array_equal(concepts.group_of, [0, 0, 0, 1])
    assert concepts.phrases == {
        "red": [([], 0)],
        "crimson": [([], 0)],
        "dark": [(["red"], 0)],
        "black": [(["and", "white"], 1), ([], 2)],
        "large": [([], 3)],
    }


def test_a_label_is_a_value_or_one_of_its_words():
    colours, sizes = make_concepts(ROWS).labels
    assert {label_key(text): colours[label_key(text)] for text in ("RED", "Black and white")} == {
        "red": 0,
        "black and white": 1,
    }
    assert colours["dark red"] == 0
    assert sizes == {"large": 3}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "no concepts: give at least one group, value and word"),
        ([("", "red", ["red"])], "has the group '': allowed is text with a letter or a digit"),
        ([("colour", "-", ["red"])], "group 'colour', value '-' has the value '-': allowed"),
        ([("colour", "red", ["red", " "])], "has the word ' ': allowed"),
        ([("colour", "red", [])], r"colour \(red\) has no words: give at least one"),
        (
            [*ROWS, ("fruit", "apple", ["apple", "CRIMSON"])],
            r"'CRIMSON' is a word of colour \(red\) and of fruit \(apple\): allowed is one value",
        ),
        ([*ROWS, ("colour", "dark", ["Dark-Red"])], r"'Dark-Red' is a word of colour \(red\)"),
        (
            [("weight", "light", ["airy"]), ("weight", "dim", ["light"])],
            r"'light' is a label of weight \(light\) and of weight \(dim\): allowed is one value",
        ),
        (
            [("colour", "red", ["red"]), ("colour", "Red", ["crimson"])],
            r"is a label of colour \(red\) and of colour \(Red\)",
        ),
    ],
)
def test_invalid_concepts_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        make_concepts(rows)


def test_values_of_two_groups_may_have_the_same_name():
    concepts = make_concepts([("colour", "orange", ["orange"]), ("fruit", "orange", ["oranges"])])
    assert concepts.labels == ({"orange": 0}, {"orange": 1, "oranges": 1})
