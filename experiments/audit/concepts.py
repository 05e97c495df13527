"""Concepts: groups of values that captions can mention, and the words for each value."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from experiments.audit.words import words_of


class Concepts(NamedTuple):
    """Groups of values, and the words for each value.

    groups:   names of the groups.
    values:   names of the values; those of a group are consecutive.
    group_of: int32 [values], the index of the group of each value.
    phrases:  the words for all values: from the first word of a phrase to pairs of its other words
              and the index of the value that it mentions, the longest phrase first.
    labels:   for each group, from a label as `label_key` normalises it to the index of the value;
              the name of a value and each of its words are labels of it.
    """

    groups: tuple[str, ...]
    values: tuple[str, ...]
    group_of: Int[np.ndarray, " values"]
    phrases: dict[str, list[tuple[list[str], int]]]
    labels: tuple[dict[str, int], ...]


def make_concepts(rows: Iterable[tuple[str, str, Sequence[str]]]) -> Concepts:
    """Returns the concepts of rows (group, value, its words); a value may have several rows.

    Raises ValueError if there are no rows, for a name or word without a letter or digit, for a
    value without words, and for a word of two values.
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
    words = [table[group][value] for group, value in names]
    return Concepts(
        groups,
        tuple(value for _, value in names),
        group_of,
        _phrases(names, words),
        tuple(_labels(names, words, group) for group in groups),
    )


def label_key(text: str) -> str:
    """Returns a label without case, hyphens and other signs; "" for a text without words."""
    return " ".join(words_of(text))


def _phrases(
    names: Sequence[tuple[str, str]], words: Sequence[Sequence[str]]
) -> dict[str, list[tuple[list[str], int]]]:
    value_of: dict[str, int] = {}  # from a phrase to the index of its value
    for value, (name, value_words) in enumerate(zip(names, words, strict=True)):
        if not value_words:
            raise ValueError(f"{_describe(name)} has no words: give at least one")
        for word in value_words:
            other = value_of.setdefault(label_key(word), value)
            if other != value:
                raise ValueError(
                    f"{word!r} is a word of {_describe(names[other])} and of {_describe(name)}: "
                    "allowed is one value of one group"
                )
    phrases: dict[str, list[tuple[list[str], int]]] = {}
    for phrase, value in sorted(value_of.items(), key=lambda item: -item[0].count(" ")):
        first, *rest = phrase.split()
        phrases.setdefault(first, []).append((rest, value))
    return phrases


def _labels(
    names: Sequence[tuple[str, str]], words: Sequence[Sequence[str]], group: str
) -> dict[str, int]:
    labels: dict[str, int] = {}
    for value, (name, value_words) in enumerate(zip(names, words, strict=True)):
        if name[0] != group:
            continue
        for label in (name[1], *value_words):
            other = labels.setdefault(label_key(label), value)
            if other != value:
                raise ValueError(
                    f"{label!r} is a label of {_describe(names[other])} and of {_describe(name)}: "
                    "allowed is one value"
                )
    return labels


def _describe(name: tuple[str, str]) -> str:
    return f"{name[0]} ({name[1]})"
