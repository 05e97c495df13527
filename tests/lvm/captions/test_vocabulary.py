import numpy as np
import pytest

from lvm.captions.vocabulary import caption_words, free_text_ids, frequent_words

TEXTS = ["A red fox.", "the fox; the DOG!", "a dog, the old dog"]


def test_case_and_punctuation_are_ignored():
    assert caption_words("It's a well-known Dog (3)!") == ["it's", "a", "well-known", "dog", "3"]


def test_the_most_frequent_words_are_kept_in_order():
    assert frequent_words(TEXTS, 4) == ("", "[unknown]", "the", "dog", "a", "fox")
    assert frequent_words(TEXTS, 100)[-2:] == ("red", "old")


def test_unknown_words_have_one_id_and_long_texts_are_cut():
    ids = free_text_ids("texts", TEXTS, frequent_words(TEXTS, 2), 4)
    np.testing.assert_array_equal(ids, [[1, 1, 1, 0], [2, 1, 2, 3], [1, 3, 2, 1]])
    assert ids.dtype == np.int32


def test_a_text_without_a_word_is_named():
    with pytest.raises(ValueError, match=r"^c\.txt: caption 1 is ' \?': allowed are one or more"):
        free_text_ids("c.txt", ["a", " ?"], ("", "[unknown]"), 3)
