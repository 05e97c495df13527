import itertools

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lvm
from lvm.captions.language import token_ids

FACTORS = (
    lvm.Factor("number", ("one", "two", "three")),
    lvm.Factor("color", ("red", "dark green")),
)
PHRASING = "a card [with {number} figures] [in {color} ink] here"
LANGUAGE = lvm.make_language(FACTORS, [PHRASING, "[{color}] [{number}]"])


caption = jax.jit(lvm.generate_captions, static_argnums=0)


def sentence_of(language, values, phrasing, selected):
    values, phrasing = np.array([values], np.int32), np.array([phrasing], np.int32)
    ids = np.asarray(caption(language, values, phrasing, np.array(selected)))
    return lvm.sentences(language, ids)[0]


@pytest.mark.parametrize(
    ("values", "phrasing", "selected", "sentence"),
    [
        ([1, 1], 0, [True, True], "a card with two figures in dark green ink here"),
        ([1, 0], 0, [True, True], "a card with two figures in red ink here"),
        ([2, 1], 0, [True, False], "a card with three figures here"),
        ([2, 1], 0, [False, True], "a card in dark green ink here"),
        ([2, 1], 0, [False, False], "a card here"),
        ([0, 1], 1, [True, True], "dark green one"),
        ([0, 1], 1, [False, False], ""),
    ],
)
def test_known_sentences(values, phrasing, selected, sentence):
    assert sentence_of(LANGUAGE, values, phrasing, selected) == sentence


def test_a_language_is_hashable_and_compares_by_value():
    same = lvm.make_language(list(FACTORS), (PHRASING, "[{color}] [{number}]"))
    other = lvm.make_language(FACTORS, [PHRASING])
    assert same == LANGUAGE != other
    assert len({same, LANGUAGE, other}) == 2
    traces = []
    trace = jax.jit(traces.append, static_argnums=0)
    for language in (LANGUAGE, same, other, same):
        trace(language)
    assert traces == [LANGUAGE, other]


def all_captions(language):
    """(values, selected, sentence, ids) for some values, in every phrasing and selection."""
    rows = 6 * len(language.phrasings)
    drawn = np.random.default_rng(0).integers(0, language.sizes, (rows, len(language.sizes)))
    values, phrasing = drawn.astype(np.int32), np.arange(rows, dtype=np.int32) // 6
    for selected in itertools.product((False, True), repeat=len(language.sizes)):
        ids = np.asarray(caption(language, values, phrasing, np.array(selected)))
        for row, text, row_ids in zip(values, lvm.sentences(language, ids), ids, strict=True):
            yield row, selected, text, row_ids


def test_names_sizes_and_vocabulary():
    assert LANGUAGE.names == ("number", "color")
    assert LANGUAGE.sizes == (3, 2)
    assert LANGUAGE.vocabulary[0] == ""
    assert set(LANGUAGE.vocabulary[1:]) == {
        *("a", "card", "with", "figures", "in", "ink", "here"),
        *("one", "two", "three", "red", "dark", "green"),
    }


@st.composite
def texts_of_languages(draw):
    """Values by factor, and phrasings of factors f0, f1, ...; all of different words."""
    fresh = map("w{}".format, itertools.count())
    words = lambda most: " ".join(next(fresh) for _ in range(draw(st.integers(1, most))))
    counts = draw(st.lists(st.integers(2, 4), min_size=1, max_size=4))
    values = [[words(3) for _ in range(count)] for count in counts]
    phrasings = []
    for _ in range(draw(st.integers(1, 3))):
        segments = [f"[{words(2)} {{f{index}}} {words(2)}]" for index in range(len(counts))]
        phrasings.append(" ".join([words(2), *draw(st.permutations(segments)), words(2)]))
    return values, phrasings


def language_of(texts):
    values, phrasings = texts
    factors = [lvm.Factor(f"f{index}", tuple(words)) for index, words in enumerate(values)]
    return lvm.make_language(factors, phrasings)


@settings(max_examples=12, deadline=None)
@given(texts_of_languages())
def test_a_sentence_mentions_every_selected_factor_and_no_other(texts):
    language = language_of(texts)
    for values, selected, sentence, _ in all_captions(language):
        for factor, value, chosen in zip(language.factors, values, selected, strict=True):
            assert chosen == (f" {factor.values[value]} " in sentence)
            others = {word for text in factor.values for word in text.split()}
            others -= set(factor.values[value].split()) if chosen else set()
            assert not others & set(sentence.split())


@settings(max_examples=12, deadline=None)
@given(texts_of_languages())
def test_token_ids_are_the_inverse_of_sentences(texts):
    language = language_of(texts)
    _, _, sentences, ids = zip(*all_captions(language), strict=True)
    np.testing.assert_array_equal(token_ids(language, sentences), ids)
    assert lvm.sentences(language, token_ids(language, sentences)) == list(sentences)


def test_an_empty_list_of_texts():
    assert token_ids(LANGUAGE, []).shape == (0, 10)
    assert lvm.sentences(LANGUAGE, np.zeros((0, 10), np.int32)) == []


def test_shared_words_may_be_allowed():
    factors = (lvm.Factor("front", ("red", "blue")), lvm.Factor("back", ("blue", "red")))
    language = lvm.make_language(factors, ["red or blue [{front}] [{back}]"], shared_words=True)
    assert sentence_of(language, [0, 0], 0, [True, True]) == "red or blue red blue"
    assert sentence_of(language, [1, 0], 0, [False, True]) == "red or blue blue"


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("color", ("red",), r"color has values \('red',\): allowed are two or more, of diff"),
        ("color", ("red", "red"), "color has values"),
        ("color", ("dark red", "dark  red"), "color has values"),
        ("color", ("red", " "), "color has values"),
        ("ink color", ("red", "blue"), "factor name is 'ink color': allowed are letters"),
    ],
)
def test_invalid_factors_are_refused(name, values, message):
    with pytest.raises(ValueError, match=message):
        lvm.Factor(name, values)


@pytest.mark.parametrize(
    ("phrasing", "message"),
    [
        ("[{number}] [in {hue}]", r"contains \[in \{hue\}\]: allowed are segments with exactly"),
        ("[{number}] [in]", r"contains \[in\]: allowed are segments with exactly one of \{nu"),
        ("[{number}] []", r"contains \[\]: allowed"),
        ("[{number} {color}]", r"contains \[\{number\} \{color\}\]: allowed"),
        ("[{number}s] [{color}]", r"contains \[\{number\}s\]: allowed"),
        ("[{number}] in [{color}", r"contains '\[\{color\}': allowed are words and \[segments"),
        ("[{number}] {color}", r"contains '\{color\}': allowed"),
        ("[{number}], [{color}]", r"contains '\[\{number\}\],': allowed"),
        ("[[{number}]] [{color}]", r"contains '\[\[\{number\}\]\]': allowed"),
        ("[{number}] here", r"mentions \['number'\]: allowed is each of \['number', 'color'\]"),
        ("[{number}] [{color}] [{color}]", r"mentions \['number', 'color', 'color'\]: allowed"),
        ("red is [{number}] [{color}]", "'red' occurs in values of color and in the phrasings"),
        ("[{number}] [not green {color}]", "'green' occurs in values of color and in the phr"),
    ],
)
def test_invalid_phrasings_are_refused(phrasing, message):
    with pytest.raises(ValueError, match=message):
        lvm.make_language(FACTORS, [PHRASING, phrasing])


@pytest.mark.parametrize(
    ("factors", "phrasings", "message"),
    [
        ((), [PHRASING], r"factors are \[\]: allowed are one or more, of different names"),
        (FACTORS[:1] * 2, [PHRASING], r"factors are \['number', 'number'\]: allowed"),
        (FACTORS, [], "phrasings is empty: allowed are one or more"),
        (
            (FACTORS[1], lvm.Factor("number", ("one", "dark two"))),
            [PHRASING],
            "'dark' occurs in values of number and in values of color: allowed only with",
        ),
    ],
)
def test_invalid_languages_are_refused(factors, phrasings, message):
    with pytest.raises(ValueError, match=message):
        lvm.make_language(factors, phrasings)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["red", "red and blue"], "text 1 contains 'and': allowed is one of a, card, dark, fig"),
        (["red " * 11], "text 0 has 11 words: allowed are 10 at most"),
    ],
)
def test_invalid_texts_are_refused(texts, message):
    with pytest.raises(ValueError, match=message):
        token_ids(LANGUAGE, texts)


@pytest.mark.parametrize("unknown", [-1, 14])
def test_ids_outside_the_vocabulary_are_refused(unknown):
    with pytest.raises(ValueError, match=f"caption 1 contains id {unknown}: allowed is 0..13"):
        lvm.sentences(LANGUAGE, np.array([[1, 0], [2, unknown]]))
