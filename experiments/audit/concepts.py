"""Concepts: kinds of things that captions can tell, and the words that tell them."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from experiments.audit.words import words_of


class Concepts(NamedTuple):
    """Groups of values, and the words of each value.

    groups, values: their names; the values of a group lie together.
    group_of: int32 [values], the group of each value.
    phrases: by its first word, what tells a value: the words that follow, and the value; the
    longest first.
    labels: a group each, the value by its name or by a word of it, as `label_key` writes them.
    """

    groups: tuple[str, ...]
    values: tuple[str, ...]
    group_of: Int[np.ndarray, " values"]
    phrases: dict[str, list[tuple[list[str], int]]]
    labels: tuple[dict[str, int], ...]


def make_concepts(rows: Iterable[tuple[str, str, Sequence[str]]]) -> Concepts:
    """The concepts of rows (group, value, its words); a value may have several rows.

    Raises ValueError for no rows, names and words without a letter or digit, values without words,
    and for a word that tells two values.
    """
    table: dict[str, dict[str, list[str]]] = {}
    for group, value, words in rows:
        for what, text in (("group", group), ("value", value), *(("word", word) for word in words)):
            if not words_of(text):
                raise ValueError(
                    f"group {group!r}, value {value!r} has the {what} {text!r}: allowed is what "
                    "has a letter or a digit"
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
    """A label as it is looked up: case, hyphens and other signs do not matter; "" for none."""
    return " ".join(words_of(text))


def _phrases(
    names: Sequence[tuple[str, str]], words: Sequence[Sequence[str]]
) -> dict[str, list[tuple[list[str], int]]]:
    teller: dict[str, int] = {}
    for value, (name, of_value) in enumerate(zip(names, words, strict=True)):
        if not of_value:
            raise ValueError(f"{_named(name)} has no words: give at least one")
        for word in of_value:
            other = teller.setdefault(label_key(word), value)
            if other != value:
                raise ValueError(
                    f"{word!r} is a word of {_named(names[other])} and of {_named(name)}: allowed "
                    "is one value of one group"
                )
    phrases: dict[str, list[tuple[list[str], int]]] = {}
    for phrase, value in sorted(teller.items(), key=lambda item: -item[0].count(" ")):
        first, *rest = phrase.split()
        phrases.setdefault(first, []).append((rest, value))
    return phrases


def _labels(
    names: Sequence[tuple[str, str]], words: Sequence[Sequence[str]], group: str
) -> dict[str, int]:
    labels: dict[str, int] = {}
    for value, (name, of_value) in enumerate(zip(names, words, strict=True)):
        if name[0] != group:
            continue
        for label in (name[1], *of_value):
            other = labels.setdefault(label_key(label), value)
            if other != value:
                raise ValueError(
                    f"{label!r} names {_named(names[other])} and {_named(name)}: allowed is one"
                )
    return labels


def _named(name: tuple[str, str]) -> str:
    return f"{name[0]} ({name[1]})"
