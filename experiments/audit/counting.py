"""Counting: how often captions tell each group, and how often against the label.

Counts of parts add up to the counts of the whole, so that captions need not fit into memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from experiments.audit.concepts import Concepts
from experiments.audit.words import words_of

NO_LABEL = -1
PART = 10_000  # captions that are counted at once


class Counts(NamedTuple):
    """Numbers of captions; empty ones are in no other number.

    captions, empty: those with a text, and those without.
    told: int64 [groups], that tell a value of the group.
    labelled: int64 [groups], that have a label.
    compared: int64 [groups], that tell a value and have a label.
    wrong: int64 [groups], of those, that do not tell the label's value.
    mixed: int64 [groups], of those, that tell it and another one too.
    told_as: int64 [values], that tell the value.
    compared_as, labelled_as: int64 [values], of those compared, that tell the value, and whose
    label it is.
    """

    captions: int
    empty: int
    told: Int[np.ndarray, " groups"]
    labelled: Int[np.ndarray, " groups"]
    compared: Int[np.ndarray, " groups"]
    wrong: Int[np.ndarray, " groups"]
    mixed: Int[np.ndarray, " groups"]
    told_as: Int[np.ndarray, " values"]
    compared_as: Int[np.ndarray, " values"]
    labelled_as: Int[np.ndarray, " values"]


def count_all(
    concepts: Concepts,
    captions: Iterable[str],
    labels: Iterable[Sequence[int]] | None = None,
    part: int = PART,
) -> Counts:
    """The counts of any number of captions, a part of them in memory at a time.

    labels: a row a caption, as `count` takes them. Raises ValueError if there are more or fewer.
    """
    captions, rows = iter(captions), None if labels is None else iter(labels)
    return reduce(add, _parts(concepts, captions, rows, part))


def count(
    concepts: Concepts,
    captions: Sequence[str],
    labels: Int[np.ndarray, "n groups"] | None = None,
) -> Counts:
    """The counts of some captions.

    labels: the value of each group, NO_LABEL for none.
    """
    there = np.array([bool(caption.strip()) for caption in captions], bool)
    values = told_values(concepts, captions)
    if labels is None:
        labels = np.full((len(captions), len(concepts.groups)), NO_LABEL)
    starts = np.searchsorted(concepts.group_of, np.arange(len(concepts.groups)))
    number = np.add.reduceat(values, starts, axis=1, dtype=np.int64)
    labelled = (labels != NO_LABEL) & there[:, None]
    compared = labelled & (number > 0)
    true = compared & np.take_along_axis(values, labels, axis=1)
    of_value = compared[:, concepts.group_of]
    return Counts(
        captions=int(there.sum()),
        empty=int((~there).sum()),
        told=(number > 0).sum(0),
        labelled=labelled.sum(0),
        compared=compared.sum(0),
        wrong=(compared & ~true).sum(0),
        mixed=(true & (number > 1)).sum(0),
        told_as=values.sum(0),
        compared_as=(values & of_value).sum(0),
        labelled_as=np.bincount(labels[compared], minlength=len(concepts.values)),
    )


def add(a: Counts, b: Counts) -> Counts:
    """The counts of the captions of both."""
    return Counts(*(x + y for x, y in zip(a, b, strict=True)))


def told_values(concepts: Concepts, captions: Sequence[str]) -> Bool[np.ndarray, "n values"]:
    """Which values each caption tells: bool [n, values].

    At each place the longest phrase counts, and its words count for nothing else: a caption that
    tells "black and white" does not tell "black".
    """
    rows: list[int] = []
    values: list[int] = []
    for row, caption in enumerate(captions):
        found = _told(concepts.phrases, words_of(caption))
        rows += [row] * len(found)
        values += found
    told = np.zeros((len(captions), len(concepts.values)), bool)
    told[rows, values] = True
    return told


def _told(phrases: dict[str, list[tuple[list[str], int]]], words: list[str]) -> list[int]:
    found = []
    free = 0  # the first place that no phrase has taken
    for place, word in enumerate(words):
        if word in phrases and place >= free:
            for rest, value in phrases[word]:
                end = place + 1 + len(rest)
                if words[place + 1 : end] == rest:
                    found.append(value)
                    free = end
                    break
    return found


def _parts(
    concepts: Concepts,
    captions: Iterator[str],
    labels: Iterator[Sequence[int]] | None,
    part: int,
) -> Iterator[Counts]:
    shape = -1, len(concepts.groups)
    done = 0
    yield count(concepts, [])
    while texts := list(islice(captions, part)):
        if labels is None:
            yield count(concepts, texts)
            continue
        rows = list(islice(labels, len(texts)))
        if len(rows) < len(texts):
            _refuse(done + len(texts) + _length(captions), done + len(rows))
        yield count(concepts, texts, np.array(rows, np.int64).reshape(shape))
        done += len(texts)
    if labels is not None and (more := _length(labels)):
        _refuse(done, done + more)


def _refuse(captions: int, labels: int) -> None:
    raise ValueError(
        f"there are {captions} rows of captions and {labels} of labels: allowed is a row a "
        "caption, also for an empty one"
    )


def _length(left: Iterator) -> int:
    return sum(1 for _ in left)
