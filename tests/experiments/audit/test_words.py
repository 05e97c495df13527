import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.audit.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("... !?", []),
        ("A RED car, two dogs.", ["a", "red", "car", "two", "dogs"]),
        ("T-shirt in black_and_white", ["t", "shirt", "in", "black", "and", "white"]),
        ("the dog's 2nd walk", ["the", "dog", "s", "2nd", "walk"]),
        ("caf\u00e9", ["caf\u00e9"]),
        ("cafe\u0301", ["caf\u00e9"]),  # the accent as a combining mark
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("ＲＥＤ ﬁsh", ["red", "fish"]),  # full width, a ligature
        ("co\u00adop\u200dera\ufefftion é", ["cooperation", "é"]),
        ("हिन्दी शब्द", ["हिन्दी", "शब्द"]),  # vowels are marks, not letters
        ("красный_дом", ["красный", "дом"]),
        ("2\ufe0f\u20e3 ❤️ dogs", ["2", "dogs"]),
        ("\u0301 é", ["é"]),
    ],
)
def test_words(text, words):
    assert words_of(text) == words


@given(st.text(st.characters(max_codepoint=127)))
def test_ascii_text_is_split_as_other_text(text):
    assert words_of(text + " é") == [*words_of(text), "é"]


@given(st.text())
def test_each_word_is_one_word(text):
    words = words_of(text)
    assert [words_of(word) for word in words] == [[word] for word in words]


@given(st.text(), st.text())
def test_words_do_not_cross_a_space(a, b):
    assert words_of(f"{a} , {b}") == words_of(a) + words_of(b)
