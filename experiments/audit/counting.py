"""Counting: numbers of captions that mention each group, and that contradict its label.

Captions are counted in chunks whose counts are added, so they need not fit in memory.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from itertools import islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from experiments.audit.concepts import Concepts, Phrases
from experiments.audit.words import words_of

NO_LABEL = -1
CHUNK = 10_000  # captions counted at once


class Counts(NamedTuple):
    """Numbers of captions; empty captions are in `empty` alone.

    captions:  captions with text.
    empty:     captions without text.
    mentioned: int64 [groups], captions that mention a value of the group.
    labelled:  int64 [groups], captions with a label.
    compared:  int64 [groups], captions that mention a value of the group and have a label.
    wrong:     int64 [groups], compared captions that do not mention the value of the label.
    mixed:     int64 [groups], compared captions that mention it and another value as well.
    mentions_of_value:          int64 [values], captions that mention the value.
    compared_mentions_of_value: int64 [values], compared captions that mention the value.
    compared_labels_of_value:   int64 [values], compared captions whose label is the value.
    """

    captions: int
    empty: int
    mentioned: Int[np.ndarray, " groups"]
    labelled: Int[np.ndarray, " groups"]
    compared: Int[np.ndarray, " groups"]
    wrong: Int[np.ndarray, " groups"]
    mixed: Int[np.ndarray, " groups"]
    mentions_of_value: Int[np.ndarray, " values"]
    compared_mentions_of_value: Int[np.ndarray, " values"]
    compared_labels_of_value: Int[np.ndarray, " values"]


def count_all(
    concepts: Concepts,
    captions: Iterable[str],
    labels: Iterable[Sequence[int]] | None = None,
    chunk: int = CHUNK,
) -> Counts:
    """Returns the counts of any number of captions, with `chunk` captions in memory at a time.

    labels: one row per caption, as in `count`.

    Raises ValueError if the numbers of captions and of labels differ.
    """
    captions, labels = iter(captions), None if labels is None else iter(labels)
    return reduce(add, _counts_of_chunks(concepts, captions, labels, chunk))


def count(
    concepts: Concepts,
    captions: Sequence[str],
    labels: Int[np.ndarray, "n groups"] | None = None,
) -> Counts:
    """Returns the counts of captions that are in memory.

    labels: index of the value of each group, NO_LABEL where there is none.
    """
    has_text = np.array([bool(caption.strip()) for caption in captions], bool)
    mentions = mentioned_values(concepts, captions)
    if labels is None:
        labels = np.full((len(captions), len(concepts.groups)), NO_LABEL)
    starts = np.searchsorted(concepts.group_of, np.arange(len(concepts.groups)))
    values_per_group = np.add.reduceat(mentions, starts, axis=1, dtype=np.int64)
    mentioned = values_per_group > 0
    labelled = (labels != NO_LABEL) & has_text[:, None]
    compared = labelled & mentioned
    correct = compared & np.take_along_axis(mentions, labels, axis=1)
    return Counts(
        captions=int(has_text.sum()),
        empty=int((~has_text).sum()),
        mentioned=mentioned.sum(0),
        labelled=labelled.sum(0),
        compared=compared.sum(0),
        wrong=(compared & ~correct).sum(0),
        mixed=(correct & (values_per_group > 1)).sum(0),
        mentions_of_value=mentions.sum(0),
        compared_mentions_of_value=(mentions & compared[:, concepts.group_of]).sum(0),
        compared_labels_of_value=np.bincount(labels[compared], minlength=len(concepts.values)),
    )


def add(a: Counts, b: Counts) -> Counts:
    """Returns the counts of two disjoint sets of captions together."""
    return Counts(*(x + y for x, y in zip(a, b, strict=True)))


def mentioned_values(concepts: Concepts, captions: Sequence[str]) -> Bool[np.ndarray, "n values"]:
    """Returns which values each caption mentions: bool [n, values].

    Of the phrases that begin at a word the longest is matched, and its words take part in no other
    match: a caption with "black and white" does not mention "black". A word of several values
    mentions each of them.
    """
    rows: list[int] = []
    columns: list[int] = []
    for row, caption in enumerate(captions):
        values = _match(concepts.phrases, words_of(caption))
        rows += [row] * len(values)
        columns += values
    mentions = np.zeros((len(captions), len(concepts.values)), bool)
    mentions[rows, columns] = True
    return mentions


def _match(phrases: Phrases, words: list[str]) -> list[int]:
    """Returns the indices of the values that the words mention, with repetitions."""
    values = []
    first_free = 0  # index of the first word that no phrase has matched
    for index, word in enumerate(words):
        if word in phrases and index >= first_free:
            for rest, mentioned in phrases[word]:
                end = index + 1 + len(rest)
                if words[index + 1 : end] == rest:
                    values += mentioned
                    first_free = end
                    break
    return values


def _counts_of_chunks(
    concepts: Concepts,
    captions: Iterator[str],
    labels: Iterator[Sequence[int]] | None,
    chunk: int,
) -> Iterator[Counts]:
    shape = -1, len(concepts.groups)
    done = 0
    yield count(concepts, [])
    while texts := list(islice(captions, chunk)):
        if labels is None:
            yield count(concepts, texts)
            continue
        rows = list(islice(labels, len(texts)))
        if len(rows) < len(texts):
            _raise_unequal(done + len(texts) + _count_rest(captions), done + len(rows))
        yield count(concepts, texts, np.array(rows, np.int64).reshape(shape))
        done += len(texts)
    if labels is not None and (more := _count_rest(labels)):
        _raise_unequal(done, done + more)


def _raise_unequal(captions: int, labels: int) -> None:
    raise ValueError(
        f"there are {captions} rows of captions and {labels} of labels: allowed is one row of "
        "labels per caption, empty captions included"
    )


def _count_rest(iterator: Iterator) -> int:
    return sum(1 for _ in iterator)
