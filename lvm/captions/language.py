"""Language: sentences about discrete factors, as tables of token ids for the device.

A phrasing is a sentence with segments in brackets, each about one factor:
"a card [with {number} figures] [in {color}]". A caption contains a segment if its factor is
selected, so that it mentions every selected factor and no other.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import numpy as np
from jaxtyping import Int

NO_WORD = 0  # the id that pads a caption

Position = tuple[int, tuple[str, ...]]  # index of the factor it is about, and its word by value


@dataclasses.dataclass(frozen=True)
class Factor:
    """A factor: its name, and one or more words for each of its values.

    Raises ValueError for a name that is not an identifier, for fewer than two values and for two
    values of the same words.
    """

    name: str
    values: tuple[str, ...]

    def __post_init__(self):
        if not self.name.isidentifier():
            raise ValueError(f"factor name is {self.name!r}: allowed are letters, digits and _")
        distinct = {tuple(value.split()) for value in self.values} - {()}
        if len(distinct) < max(2, len(self.values)):
            raise ValueError(
                f"{self.name} has values {self.values}: allowed are two or more, of different words"
            )


@dataclasses.dataclass(frozen=True)
class Language:
    """Factors and phrasings, and their tables; equal if factors and phrasings are equal.

    vocabulary: the words by id; 0 stands for no word.
    about:      int32 [phrasings, length], the index of the factor that a position is about, or the
                number of factors if it is about none.
    words:      int32 [phrasings, length, values], the id at a position by the value of its factor;
                at value 0 for positions about no factor.
    """

    factors: tuple[Factor, ...]
    phrasings: tuple[str, ...]
    vocabulary: tuple[str, ...] = dataclasses.field(compare=False, repr=False)
    about: Int[np.ndarray, "phrasings length"] = dataclasses.field(compare=False, repr=False)
    words: Int[np.ndarray, "phrasings length values"] = dataclasses.field(compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Returns the names of the factors."""
        return tuple(factor.name for factor in self.factors)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Returns the number of values of each factor."""
        return tuple(len(factor.values) for factor in self.factors)


def make_language(
    factors: Sequence[Factor], phrasings: Sequence[str], shared_words: bool = False
) -> Language:
    """Returns the language of factors and phrasings.

    Raises ValueError for no factor or phrasing, factors of the same name, stray brackets, a segment
    that is not about exactly one known factor, a phrasing that omits a factor or mentions it twice,
    and, unless `shared_words`, for an ambiguous word: one that occurs in values of two factors, or
    in a value and a phrasing.
    """
    names = [factor.name for factor in factors]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"factors are {names}: allowed are one or more, of different names")
    if not phrasings:
        raise ValueError("phrasings is empty: allowed are one or more")
    rows = [_positions(phrasing, factors) for phrasing in phrasings]
    if not shared_words:
        _refuse_shared(factors, phrasings)
    vocabulary = tuple(sorted({""}.union(*(by_value for row in rows for _, by_value in row))))
    about, words = _tables(rows, vocabulary, factors)
    return Language(tuple(factors), tuple(phrasings), vocabulary, about, words)


def sentences(language: Language, ids: Int[np.ndarray, "n length"]) -> list[str]:
    """Returns captions as text; raises ValueError for an id outside the vocabulary."""
    last = len(language.vocabulary) - 1
    for index, row in enumerate(ids):
        if (unknown := row[(row < 0) | (row > last)]).size:
            raise ValueError(f"caption {index} contains id {unknown[0]}: allowed is 0..{last}")
    words = np.array(language.vocabulary, object)[ids]
    return [" ".join(filter(None, row)) for row in words]


def token_ids(language: Language, texts: Iterable[str]) -> Int[np.ndarray, "n length"]:
    """Returns the token ids of texts, the inverse of `sentences`: int32 [n, length].

    Raises ValueError for a word outside the vocabulary and for a text longer than any phrasing.
    """
    ids_by_word = {word: index for index, word in enumerate(language.vocabulary)}
    length = language.about.shape[1]
    rows = []
    for index, text in enumerate(texts):
        words = text.split()
        if unknown := [word for word in words if word not in ids_by_word]:
            allowed = ", ".join(language.vocabulary[1:])
            raise ValueError(f"text {index} contains {unknown[0]!r}: allowed is one of {allowed}")
        if len(words) > length:
            raise ValueError(f"text {index} has {len(words)} words: allowed are {length} at most")
        rows.append([ids_by_word[word] for word in words] + [NO_WORD] * (length - len(words)))
    return np.array(rows, np.int32).reshape(-1, length)


def _positions(phrasing: str, factors: Sequence[Factor]) -> list[Position]:
    """Returns the positions of a phrasing, enough for the longest value of each factor."""
    positions: list[Position] = []
    for segment, word in re.findall(r"\[([^\[\]]*)\](?!\S)|(\S+)", phrasing):
        if re.search(r"[\[\]{}]", word):
            raise ValueError(
                f"{phrasing!r} contains {word!r}: allowed are words and [segments with a "
                "{factor}], separated by spaces"
            )
        positions += [(len(factors), (word,))] if word else _segment(segment, phrasing, factors)
    names = [factor.name for factor in factors]
    mentioned = re.findall(r"\{(\w+)\}", phrasing)
    if sorted(mentioned) != sorted(names):
        raise ValueError(f"{phrasing!r} mentions {mentioned}: allowed is each of {names} once")
    return positions


def _segment(segment: str, phrasing: str, factors: Sequence[Factor]) -> list[Position]:
    """Returns the positions of one segment of a phrasing."""
    slots = [f"{{{factor.name}}}" for factor in factors]
    mentioned = [word for word in segment.split() if re.search(r"[{}]", word)]
    if len(mentioned) != 1 or mentioned[0] not in slots:
        allowed = ", ".join(slots)
        raise ValueError(
            f"{phrasing!r} contains [{segment}]: allowed are segments with exactly one of {allowed}"
        )
    about = slots.index(mentioned[0])
    values = [value.split() for value in factors[about].values]
    positions: list[Position] = []
    for word in segment.split():
        parts = zip_longest(*values, fillvalue="") if word in slots else [(word,) * len(values)]
        positions += [(about, part) for part in parts]
    return positions


def _tables(
    rows: Sequence[list[Position]], vocabulary: tuple[str, ...], factors: Sequence[Factor]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the fields `about` and `words` of a language with a row of positions per phrasing."""
    ids_by_word = {word: index for index, word in enumerate(vocabulary)}
    shape = len(rows), max(map(len, rows))
    about = np.full(shape, len(factors), np.int32)
    words = np.full((*shape, max(len(factor.values) for factor in factors)), NO_WORD, np.int32)
    for i, row in enumerate(rows):
        for j, (factor, by_value) in enumerate(row):
            about[i, j] = factor
            words[i, j, : len(by_value)] = [ids_by_word[word] for word in by_value]
    return about, words


def _refuse_shared(factors: Sequence[Factor], phrasings: Sequence[str]) -> None:
    """Raises ValueError for a word of two factors, or of a factor and a phrasing."""
    literal = re.sub(r"\{\w+\}|[\[\]]", " ", " ".join(phrasings)).split()
    sources = dict.fromkeys(literal, "the phrasings")
    for factor in factors:
        own_words = {word for value in factor.values for word in value.split()}
        for word in sorted(own_words & sources.keys()):
            raise ValueError(
                f"{word!r} occurs in values of {factor.name} and in {sources[word]}: allowed only "
                "with shared_words"
            )
        sources |= dict.fromkeys(own_words, f"values of {factor.name}")
