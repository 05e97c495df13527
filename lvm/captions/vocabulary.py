"""Vocabulary: token ids of free text, with a limit on the words and a token for all others.

Words are letters, digits and joined hyphens or apostrophes; case and punctuation are ignored.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from lvm.captions.language import NO_WORD

WORD = re.compile(r"\w+(?:['’-]\w+)*")
UNKNOWN = 1  # the id of a word outside the vocabulary
SPECIAL = ("", "[unknown]")  # the words of NO_WORD and UNKNOWN


def caption_words(text: str) -> list[str]:
    """Returns the words of a text in lower case, without punctuation."""
    return WORD.findall(text.lower())


def frequent_words(texts: Sequence[str], limit: int) -> tuple[str, ...]:
    """Returns a vocabulary, words by id: no word, the unknown word, then `limit` words at most.

    The most frequent words of the texts are listed, in this order, of equally frequent ones the
    first used first.
    """
    counts = Counter(word for text in texts for word in caption_words(text))
    return (*SPECIAL, *(word for word, _ in counts.most_common(limit)))


def free_text_ids(
    where: str, texts: Sequence[str], vocabulary: tuple[str, ...], length: int
) -> Int[np.ndarray, "n length"]:
    """Returns the ids of the first `length` words of each text, padded with 0: int32 [n, length].

    A word that the vocabulary lacks has the id 1. Raises ValueError that begins with `where` for a
    text without a word.
    """
    ids_by_word = {word: index for index, word in enumerate(vocabulary)}
    ids = np.full((len(texts), length), NO_WORD, np.int32)
    for row, text in enumerate(texts):
        words = caption_words(text)
        if not words:
            raise ValueError(f"{where}: caption {row} is {text!r}: allowed are one or more words")
        kept = [ids_by_word.get(word, UNKNOWN) for word in words[:length]]
        ids[row, : len(kept)] = kept
    return ids
