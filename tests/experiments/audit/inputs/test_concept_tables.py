import pytest

from experiments.audit.__main__ import PAPER_CONCEPTS, SHIPPED_CONCEPTS
from experiments.audit.concepts import label_key, make_concepts, shared_words
from experiments.audit.counting import mentioned_values
from experiments.audit.inputs.concept_tables import read_concepts, read_labels

CONCEPTS = make_concepts(
    [
        ("colour", "red", ["red", "crimson"]),
        ("colour", "light blue", ["light-blue"]),
        ("size", "big", ["big"]),
    ]
)
RED, BLUE, BIG = range(3)


def test_labels_are_values_or_words_in_any_order_of_columns(write):
    path = write("l.csv", "size, id ,colour\nbig,7,Crimson\n,8, Light blue \n\n")
    unused, rows = read_labels(path, CONCEPTS)
    assert unused == ["id"]
    assert list(rows) == [[RED, BIG], [BLUE, -1], [-1, -1]]


def test_a_group_without_a_column_has_no_labels(write):
    unused, rows = read_labels(write("l.tsv", "colour\nred\n\nlight-blue\n"), CONCEPTS)
    assert (unused, list(rows)) == ([], [[RED, -1], [-1, -1], [BLUE, -1]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.txt", "red", "l.txt ends in '.txt': allowed is .csv, .tsv"),
        ("l.csv", "", "l.csv has no columns: its first line is empty"),
        ("l.csv", "color,id\n", "no column of a concept group: it has 'color', 'id'; the group"),
        ("l.csv", "colour,colour\n", "l.csv has the column 'colour' twice: allowed is once"),
        ("l.csv", "id,colour\n1,red\n2,purpel\n",
         "l.csv, line 3: colour is 'purpel': allowed is an empty cell, or red, light blue, or"),
        ("l.csv", "colour\nbig\n", "colour is 'big': allowed"),
        ("l.csv", "colour\n?\n", "colour is '\\?': allowed"),
        ("l.csv", "id,colour\n1\n", "l.csv, line 2 has 1 columns: allowed is 2 or more"),
    ],
)  # fmt: skip
def test_bad_labels_are_refused_with_the_line(write, name, content, message):
    with pytest.raises(ValueError, match=message):
        list(read_labels(write(name, content), CONCEPTS)[1])


def test_concepts_of_a_table(write):
    text = "value,group,words,note\nred,colour, red | dark red ,x\n\nbig,size,big,\n"
    concepts = read_concepts(write("k.csv", text))
    expected = make_concepts([("colour", "red", ["red", "dark red"]), ("size", "big", ["big"])])
    for actual, correct in zip(concepts, expected, strict=True):
        assert str(actual) == str(correct)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "k.csv has no columns"),
        ("group,value,words\n", "k.csv: no concepts: give at least one group, value and word"),
        ("group,value,word\n", "k.csv has no column 'words': it has 'group', 'value', 'word'"),
        ("group,value,words\ncolour,red,\n", r"k.csv: colour \(red\) has no words"),
        ("group,value,words\ncolour,red,red|\n", "k.csv: .* has the word ''"),
        ("group,value,words\ncolour,red,red\ncolour,Red,x\n", "'Red' is a name of colour"),
        ("group,value,words\ncolour,red\n", "k.csv.* line 2 has 2 columns"),
    ],
)
def test_bad_concepts_are_refused_with_the_file(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_concepts(write("k.csv", content))


def test_shipped_concepts_have_fifteen_groups():
    concepts = read_concepts(SHIPPED_CONCEPTS)
    groups = {"colour", "size", "shape", "material", "number", "position", "time", "weather"}
    assert groups < set(concepts.groups)
    assert len(concepts.groups) == 15
    assert len(concepts.values) > 140


def test_the_concepts_of_the_paper_have_words_and_shared_words():
    concepts = read_concepts(PAPER_CONCEPTS)
    assert (len(concepts.groups), len(concepts.values)) == (15, 146)
    assert {"Animal", "Texture", "POV", "Emot.", "Postproc.", "Trait", "Stere."} < set(
        concepts.groups
    )
    assert shared_words(concepts)["Weather (rain)", "Weather (storm)"] == [
        "rain storm", "rainstorm", "thunderstorm"
    ]  # fmt: skip


def test_each_concept_of_the_paper_is_mentioned_by_its_name():
    concepts = read_concepts(PAPER_CONCEPTS)
    mentions = mentioned_values(concepts, [f"a {value} x" for value in concepts.values])
    assert [value for value, found in enumerate(mentions.diagonal()) if not found] == []


@pytest.mark.parametrize(
    ("caption", "values"),
    [
        ("that team chattered on a carpet, cargo pantry", []),  # hat, tea, cat, car and pan inside
        ("a t-shirt and Polo Shirts", ["shirt"]),
        ("a blizzard", ["snow", "storm"]),
        ("a cup of green tea", ["tea", "cup"]),  # green tea is no green
        ("two ladies in gangster-style hats", ["hat", "gangster look"]),
        ("policewomen on buses", ["police officer", "bus"]),
    ],
)
def test_captions_of_concepts_of_the_paper(caption, values):
    concepts = read_concepts(PAPER_CONCEPTS, plurals=True)
    (mentions,) = mentioned_values(concepts, [caption])
    found = {value for value, is_found in zip(concepts.values, mentions, strict=True) if is_found}
    assert found == set(values)


def test_names_of_the_paper_are_labels_of_their_own_concept():
    concepts = read_concepts(PAPER_CONCEPTS)
    for value, group in enumerate(concepts.group_of):
        assert concepts.labels[group][label_key(concepts.values[value])] == value
