"""Language: sentences about discrete factors, as tables that a device can read.

A phrasing is a sentence with segments in brackets, each about one factor:
"a card [with {number} figures] [in {color}]". A segment is said where its factor is selected, so
that a caption speaks of every selected factor and of no other.
"""

import dataclasses
import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest

import numpy as np
from jaxtyping import Int

NO_WORD = 0  # the id that fills a caption up

Place = tuple[int, tuple[str, ...]]  # the factor it is about, and its word by value


@dataclasses.dataclass(frozen=True)
class Factor:
    """What can be said of one factor: its name, and one or more words for each of its values.

    Raises ValueError for a name that is no identifier and for values that are not two or more
    different ones.
    """

    name: str
    values: tuple[str, ...]

    def __post_init__(self):
        if not self.name.isidentifier():
            raise ValueError(f"a factor is named {self.name!r}: allowed are letters, digits and _")
        spoken = {tuple(value.split()) for value in self.values} - {()}
        if len(spoken) < max(2, len(self.values)):
            raise ValueError(
                f"{self.name} has values {self.values}: allowed are two or more, with words of "
                "their own"
            )


@dataclasses.dataclass(frozen=True)
class Language:
    """Factors and phrasings, and the tables they make; equal where factors and phrasings are.

    vocabulary: the words by id; 0 stands for no word.
    about: int32 [phrasings, length], the factor a place is about; the number of factors for none.
    words: int32 [phrasings, length, values], the word at a place by the value of its factor; at
    places about no factor, by 0.
    """

    factors: tuple[Factor, ...]
    phrasings: tuple[str, ...]
    vocabulary: tuple[str, ...] = dataclasses.field(compare=False, repr=False)
    about: Int[np.ndarray, "phrasings length"] = dataclasses.field(compare=False, repr=False)
    words: Int[np.ndarray, "phrasings length values"] = dataclasses.field(compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the factors."""
        return tuple(factor.name for factor in self.factors)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each factor has."""
        return tuple(len(factor.values) for factor in self.factors)


def make_language(
    factors: Sequence[Factor], phrasings: Sequence[str], shared_words: bool = False
) -> Language:
    """The language of some factors and phrasings.

    Raises ValueError for no factor or phrasing, factors of one name, stray brackets, a segment that
    is not about exactly one known factor, a phrasing that leaves a factor out or says it twice,
    and, unless `shared_words`, for a word that tells values of two factors or that stands in a
    phrasing too: it would confuse.
    """
    names = [factor.name for factor in factors]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"factors are {names}: allowed are one or more, each with its own name")
    if not phrasings:
        raise ValueError("phrasings is empty: give at least one")
    rows = [_places(phrasing, factors) for phrasing in phrasings]
    if not shared_words:
        _refuse_shared(factors, phrasings)
    vocabulary = tuple(sorted({""}.union(*(by_value for row in rows for _, by_value in row))))
    about, words = _tables(rows, vocabulary, factors)
    return Language(tuple(factors), tuple(phrasings), vocabulary, about, words)


def sentences(language: Language, ids: Int[np.ndarray, "n length"]) -> list[str]:
    """Captions as people read them; raises ValueError for an id outside the vocabulary."""
    last = len(language.vocabulary) - 1
    for place, row in enumerate(ids):
        if (stray := row[(row < 0) | (row > last)]).size:
            raise ValueError(f"caption {place} holds id {stray[0]}: allowed is 0..{last}")
    words = np.array(language.vocabulary, object)[ids]
    return [" ".join(filter(None, row)) for row in words]


def token_ids(language: Language, texts: Iterable[str]) -> Int[np.ndarray, "n length"]:
    """The inverse of `sentences`: int32 [n, length].

    Raises ValueError for a word outside the vocabulary and for a text longer than any phrasing.
    """
    number = {word: place for place, word in enumerate(language.vocabulary)}
    length = language.about.shape[1]
    rows = []
    for place, text in enumerate(texts):
        words = text.split()
        if unknown := [word for word in words if word not in number]:
            allowed = ", ".join(language.vocabulary[1:])
            raise ValueError(f"text {place} holds {unknown[0]!r}: allowed is one of {allowed}")
        if len(words) > length:
            raise ValueError(f"text {place} has {len(words)} words: allowed are {length} at most")
        rows.append([number[word] for word in words] + [NO_WORD] * (length - len(words)))
    return np.array(rows, np.int32).reshape(-1, length)


def _places(phrasing: str, factors: Sequence[Factor]) -> list[Place]:
    """The places of a phrasing; a value has as many as the longest value of its factor."""
    places: list[Place] = []
    for segment, word in re.findall(r"\[([^\[\]]*)\](?!\S)|(\S+)", phrasing):
        if re.search(r"[\[\]{}]", word):
            raise ValueError(
                f"{phrasing!r} holds {word!r}: allowed are words and [segments with a {{factor}}], "
                "set apart by spaces"
            )
        places += [(len(factors), (word,))] if word else _segment(segment, phrasing, factors)
    names = [factor.name for factor in factors]
    said = re.findall(r"\{(\w+)\}", phrasing)
    if sorted(said) != sorted(names):
        raise ValueError(f"{phrasing!r} tells {said}: allowed is each of {names} once")
    return places


def _segment(segment: str, phrasing: str, factors: Sequence[Factor]) -> list[Place]:
    slots = [f"{{{factor.name}}}" for factor in factors]
    told = [word for word in segment.split() if re.search(r"[{}]", word)]
    if len(told) != 1 or told[0] not in slots:
        allowed = ", ".join(slots)
        raise ValueError(
            f"{phrasing!r} has [{segment}]: allowed are segments with one of {allowed} in each"
        )
    about = slots.index(told[0])
    values = [value.split() for value in factors[about].values]
    places: list[Place] = []
    for word in segment.split():
        parts = zip_longest(*values, fillvalue="") if word in slots else [(word,) * len(values)]
        places += [(about, part) for part in parts]
    return places


def _tables(
    rows: Sequence[list[Place]], vocabulary: tuple[str, ...], factors: Sequence[Factor]
) -> tuple[np.ndarray, np.ndarray]:
    number = {word: place for place, word in enumerate(vocabulary)}
    shape = len(rows), max(map(len, rows))
    about = np.full(shape, len(factors), np.int32)
    words = np.full((*shape, max(len(factor.values) for factor in factors)), NO_WORD, np.int32)
    for i, row in enumerate(rows):
        for j, (factor, by_value) in enumerate(row):
            about[i, j] = factor
            words[i, j, : len(by_value)] = [number[word] for word in by_value]
    return about, words


def _refuse_shared(factors: Sequence[Factor], phrasings: Sequence[str]) -> None:
    literal = re.sub(r"\{\w+\}|[\[\]]", " ", " ".join(phrasings)).split()
    teller = dict.fromkeys(literal, "the phrasings")
    for factor in factors:
        told = {word for value in factor.values for word in value.split()}
        for word in sorted(told & teller.keys()):
            raise ValueError(
                f"{word!r} tells values of {factor.name} and stands in {teller[word]} too: allowed "
                "with shared_words alone"
            )
        teller |= dict.fromkeys(told, factor.name)
