"""Concepts: groups of values that captions can mention, and the words for each value."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from experiments.audit.plurals import plural_of
from experiments.audit.words import words_of

# from the first word of a phrase to its other words and the indices of the values it mentions
Phrases = dict[str, list[tuple[list[str], tuple[int, ...]]]]


class Concepts(NamedTuple):
    """Groups of values, and the words for each value.

    groups:   names of the groups.
    values:   names of the values; those of a group are consecutive.
    group_of: int32 [values], the index of the group of each value.
    phrases:  the words for all values, those with the same first word from the longest phrase on.
    labels:   for each group, from a label as `label_key` normalises it to the index of the value;
              the name of a value is a label of it, and so are its words, unless another value of
              the group has that word or name.
    """

    groups: tuple[str, ...]
    values: tuple[str, ...]
    group_of: Int[np.ndarray, " values"]
    phrases: Phrases
    labels: tuple[dict[str, int], ...]


def make_concepts(
    rows: Iterable[tuple[str, str, Sequence[str]]], plurals: bool = False
) -> Concepts:
    """Returns the concepts of rows (group, value, its words); a value may have several rows.

    A word of several values mentions all of them.

    plurals: whether the plural of a word mentions its values as well, unless the plural is itself
             a word of some value.

    Raises ValueError if there are no rows, for a name or word without a letter or digit, for a
    value without words, and for two values of a group with the same name.
    """
    table: dict[str, dict[str, list[str]]] = {}
    for group, value, words in rows:
        for kind, text in (("group", group), ("value", value), *(("word", word) for word in words)):
            if not words_of(text):
                raise ValueError(
                    f"group {group!r}, value {value!r} has the {kind} {text!r}: allowed is text "
                    "with a letter or a digit"
                )
        table.setdefault(group, {}).setdefault(value, []).extend(words)
    if not table:
        raise ValueError("no concepts: give at least one group, value and word")
    names = [(group, value) for group in table for value in table[group]]
    groups = tuple(table)
    group_of = np.array([groups.index(group) for group, _ in names], np.int32)
    values_of = _values_of_words(names, [table[group][value] for group, value in names])
    if plurals:
        values_of = _with_plurals(values_of)
    return Concepts(
        groups,
        tuple(value for _, value in names),
        group_of,
        _phrases(values_of),
        tuple(_labels(names, values_of, group) for group in groups),
    )


def label_key(text: str) -> str:
    """Returns a label without case, hyphens and other signs; "" for a text without words."""
    return " ".join(words_of(text))


def shared_words(concepts: Concepts) -> dict[tuple[str, ...], list[str]]:
    """Returns words that mention the same values, without plurals, by "group (value)" of each."""
    names = [
        _describe((concepts.groups[group], value))
        for group, value in zip(concepts.group_of, concepts.values, strict=True)
    ]
    shared: dict[tuple[str, ...], list[str]] = {}
    for first in sorted(concepts.phrases):
        for rest, values in concepts.phrases[first]:
            if len(values) > 1:
                key = tuple(names[value] for value in values)
                shared.setdefault(key, []).append(" ".join([first, *rest]))
    return {
        key: [word for word in words if word not in set(map(plural_of, words))]
        for key, words in shared.items()
    }


def _values_of_words(
    names: Sequence[tuple[str, str]], words: Sequence[Sequence[str]]
) -> dict[str, tuple[int, ...]]:
    """Returns the indices of the values of each word, normalised by `label_key`."""
    values_of: dict[str, tuple[int, ...]] = {}
    for value, (name, value_words) in enumerate(zip(names, words, strict=True)):
        if not value_words:
            raise ValueError(f"{_describe(name)} has no words: give at least one")
        for word in dict.fromkeys(map(label_key, value_words)):
            values_of[word] = (*values_of.get(word, ()), value)
    return values_of


def _with_plurals(values_of: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Returns the words, and the plural of each of them that is no word yet."""
    derived: dict[str, tuple[int, ...]] = {}
    for word, values in values_of.items():
        for plural in {plural_of(word)} - values_of.keys():
            derived[plural] = tuple(sorted({*derived.get(plural, ()), *values}))
    return values_of | derived


def _phrases(values_of: dict[str, tuple[int, ...]]) -> Phrases:
    phrases: Phrases = {}
    for phrase, values in sorted(values_of.items(), key=lambda item: -item[0].count(" ")):
        first, *rest = phrase.split()
        phrases.setdefault(first, []).append((rest, values))
    return phrases


def _labels(
    names: Sequence[tuple[str, str]], values_of: dict[str, tuple[int, ...]], group: str
) -> dict[str, int]:
    labels: dict[str, int] = {}
    for value, name in enumerate(names):
        if name[0] == group:
            other = labels.setdefault(label_key(name[1]), value)
            if other != value:
                raise ValueError(
                    f"{name[1]!r} is a name of {_describe(names[other])} and of {_describe(name)}: "
                    "allowed is one value"
                )
    for word, values in values_of.items():
        in_group = [value for value in values if names[value][0] == group]
        if len(in_group) == 1:
            labels.setdefault(word, in_group[0])
    return labels


def _describe(name: tuple[str, str]) -> str:
    return f"{name[0]} ({name[1]})"
