import numpy as np
import pytest

from experiments.audit.counting import mentioned_values
from experiments.studies.stamps.translations import (
    ALL,
    language_table,
    mention_table,
    read_words,
    words_for,
)

CAPTIONS = {
    "en": ("A red hen.", "A red hen.", "Two blue cats.", "A yellow light.", "A tree."),
    "de": ("Eine rote Henne.", "Eine Henne.", "Zwei Katzen.", "Ein rotes Licht.", ""),
    "en_GB": ("A red hen.", "A Hen.", "2 blue cats.", "A yellow light.", "A tree."),
    "xx": ("A red hen.", "", "", "", ""),
}


@pytest.fixture(scope="module")
def words():
    return read_words()


def test_all_languages_have_the_same_concepts_and_words_of_one_value(words):
    assert len(words) == 7
    for concepts in words.values():
        assert (concepts.groups, concepts.values) == (words["en"].groups, words["en"].values)
        np.testing.assert_array_equal(concepts.group_of, words["en"].group_of)
        shared = {
            " ".join([first, *rest])
            for first, phrases in concepts.phrases.items()
            for rest, values in phrases
            if len(values) > 1
        }
        assert all(word.startswith(("rotweiss", "schwarzweiss")) for word in shared), shared


@pytest.mark.parametrize(
    ("language", "caption", "mentioned"),
    [
        ("de", "Eine rotweiße Anemone, zwei Blätter", {"red", "white", "two"}),
        ("fr", "Deux fleurs blanches.", {"two", "white"}),
        ("es", "Unas casitas amarillas", {"yellow"}),
        ("it", "Tre mele verdi", {"three", "green"}),
        ("nl", "Een zwarte kat", {"black"}),
        ("pt", "Duas flores cor-de-rosa", {"two", "pink"}),
        ("en", "A 5 cent piece", {"five"}),
        ("fr", "Une orange", set()),
    ],
)
def test_captions_mention_the_concepts_of_their_language(words, language, caption, mentioned):
    concepts = words[language]
    (row,) = mentioned_values(concepts, [caption])
    assert {concepts.values[value] for value in np.flatnonzero(row)} == mentioned


def test_regions_have_the_words_of_their_language(words):
    assert words_for("en_GB", words) is words["en"]
    assert words_for("pt_BR", words) is words["pt"]
    assert words_for("xx", words) is None


def test_languages_have_coverage_and_rates_where_there_are_words(words):
    table = language_table(CAPTIONS, words).set_index("language")
    assert list(table.index) == ["en", "en_GB", "de", "xx"]
    assert table.captions.to_dict() == {"en": 5, "en_GB": 5, "de": 4, "xx": 1}
    assert table.coverage.de == 0.8
    assert table.as_english.to_dict() == {"en": 1, "en_GB": 0.6, "de": 0, "xx": 1}
    assert (table.distinct.en, table.most_shared.en) == (4, 2)
    assert (table.colour_rate.en, table.number_rate.en) == (0.8, 0.2)
    assert (table.colour_rate.de, table.number_rate.de) == (0.5, 0.25)
    assert table.colour_low.de < 0.5 < table.colour_high.de
    assert np.isnan(table.colour_rate.xx)


def test_mentions_of_english_captions_are_kept_replaced_or_omitted(words):
    table = mention_table(CAPTIONS, words).set_index(["language", "group", "concept"])
    assert set(table.index.get_level_values("language")) == {"de", "en_GB"}
    columns = ["english", "kept", "replaced", "omitted", "added"]
    counts = lambda *row: table.loc[row, columns].tolist()
    assert counts("de", "colour", "red") == [2, 1, 0, 1, 1]
    assert counts("de", "colour", "yellow") == [1, 0, 1, 0, 0]
    assert counts("de", "colour", "blue") == [1, 0, 0, 1, 0]
    assert counts("de", "colour", ALL) == [4, 1, 1, 2, 1]
    assert counts("de", "number", ALL) == counts("en_GB", "number", "two") == [1, 1, 0, 0, 0]
    assert counts("en_GB", "colour", ALL) == [4, 3, 0, 1, 0]
    assert table.omission_rate["de", "colour", ALL] == 0.5
    assert np.isnan(table.omission_rate["de", "number", "ten"])


def test_english_alone_has_no_mentions_to_compare(words):
    assert mention_table({"en": CAPTIONS["en"]}, words).empty
