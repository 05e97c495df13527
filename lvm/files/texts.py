"""Texts: captions in files, a sentence a line, as ids of words.

Words are what spaces, full stops, commas and quotation marks set apart. A vocabulary is made of the
captions to train on, in the order of first use; captions to test on must be made of its words.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from lvm.captions.language import NO_WORD

WORD = re.compile(r'[^\s.,"]+')


class CaptionFile(NamedTuple):
    """Captions from files, one an image.

    texts:      the sentences.
    ids:        int32 [n, length], their words, filled up with 0.
    vocabulary: the words by id; 0 stands for no word.
    told:       int32, float32 or str [n] by column, the values that the captions tell.
    """

    texts: tuple[str, ...]
    ids: Int[np.ndarray, "n length"]
    vocabulary: tuple[str, ...]
    told: dict[str, Shaped[np.ndarray, " n"]]


def read_texts(path: Path, count: int, counted: str) -> tuple[str, ...]:
    """The sentences of a file, which must be `count`, as many as `counted`.

    Raises ValueError, with the file, if it cannot be read, for another number and for a sentence
    without a word.
    """
    try:
        texts = tuple(path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    check_texts(str(path), texts, count, counted)
    return texts


def check_texts(where: str, texts: Sequence[str], count: int, counted: str) -> None:
    """Raises ValueError unless there are `count` sentences of one line and one word or more."""
    if len(texts) != count:
        raise ValueError(f"{where} has {len(texts)} captions: allowed are {count}, as in {counted}")
    for row, text in enumerate(texts):
        if "\n" in text or "\r" in text or not WORD.search(text):
            raise ValueError(f"{where}: caption {row} is {text!r}: allowed is a line of words")


def make_vocabulary(texts: Sequence[str]) -> tuple[str, ...]:
    """The words of some captions in the order of first use, after the empty word."""
    return ("", *dict.fromkeys(word for text in texts for word in WORD.findall(text)))


def word_ids(
    where: str, texts: Sequence[str], vocabulary: tuple[str, ...]
) -> Int[np.ndarray, "n length"]:
    """The words of captions by their places in a vocabulary, filled up with 0: int32 [n, length].

    Raises ValueError that begins with `where` for a word that is missing there.
    """
    number = {word: place for place, word in enumerate(vocabulary)}
    rows = [WORD.findall(text) for text in texts]
    ids = np.full((len(rows), max(map(len, rows), default=0)), NO_WORD, np.int32)
    for place, row in enumerate(rows):
        for word in row:
            if word not in number:
                raise ValueError(
                    f"{where}: caption {place} holds {word!r}, which is not among the "
                    f"{len(vocabulary) - 1} words of the vocabulary"
                )
        ids[place, : len(row)] = [number[word] for word in row]
    return ids
