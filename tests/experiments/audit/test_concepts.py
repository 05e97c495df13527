import numpy as np
import pytest

from experiments.audit.concepts import label_key, make_concepts, shared_words

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
        "red": [([], (0,))],
        "crimson": [([], (0,))],
        "dark": [(["red"], (0,))],
        "black": [(["and", "white"], (1,)), ([], (2,))],
        "large": [([], (3,))],
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
            [("colour", "red", ["red"]), ("colour", "Red", ["crimson"])],
            r"'Red' is a name of colour \(red\) and of colour \(Red\): allowed is one value",
        ),
    ],
)
def test_invalid_concepts_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        make_concepts(rows)


def test_values_of_two_groups_may_have_the_same_name():
    concepts = make_concepts([("colour", "orange", ["orange"]), ("fruit", "orange", ["oranges"])])
    assert concepts.labels == ({"orange": 0}, {"orange": 1, "oranges": 1})


SHARED = [
    ("colour", "orange", ["orange"]),
    ("fruit", "orange", ["Orange", "clementine"]),
    ("weather", "snow", ["snow", "snowstorm"]),
    ("weather", "storm", ["storm", "Snowstorm", "snow-storm", "orange"]),
]


def test_a_word_of_several_values_mentions_all_of_them():
    concepts = make_concepts(SHARED)
    assert concepts.phrases["orange"] == [([], (0, 1, 3))]
    assert concepts.phrases["snow"] == [(["storm"], (3,)), ([], (2,))]
    assert shared_words(concepts) == {
        ("colour (orange)", "fruit (orange)", "weather (storm)"): ["orange"],
        ("weather (snow)", "weather (storm)"): ["snowstorm"],
    }
    assert shared_words(make_concepts(ROWS)) == {}


def test_a_word_of_two_values_of_a_group_is_no_label_of_it():
    assert make_concepts(SHARED).labels == (
        {"orange": 0},
        {"orange": 1, "clementine": 1},
        {"snow": 2, "storm": 3, "snow storm": 3, "orange": 3},
    )


def test_a_name_is_a_label_of_its_own_value_and_not_of_one_with_it_as_a_word():
    (labels,) = make_concepts([("weight", "light", ["airy"]), ("weight", "dim", ["light"])]).labels
    assert labels == {"light": 0, "dim": 1, "airy": 0}


def test_plurals_mention_the_value_unless_they_are_words_themselves():
    rows = [
        ("thing", "glass", ["glass", "wine glass"]),
        ("thing", "glasses", ["glasses"]),
        ("colour", "orange", ["orange"]),
        ("fruit", "orange", ["orange"]),
    ]
    concepts = make_concepts(rows, plurals=True)
    assert concepts.phrases == {
        "wine": [(["glass"], (0,)), (["glasses"], (0,))],
        "glass": [([], (0,))],
        "glasses": [([], (1,))],
        "glasseses": [([], (1,))],
        "orange": [([], (2, 3))],
        "oranges": [([], (2, 3))],
    }
    assert shared_words(concepts) == {("colour (orange)", "fruit (orange)"): ["orange"]}
    assert concepts.labels[2] == {"orange": 3, "oranges": 3}
