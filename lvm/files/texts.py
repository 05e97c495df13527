"""Texts: text files, captions in them, one sentence per line, and their token ids.

All text, tables included, is read by `read_text` or, line by line, by `open_text`, from UTF-8 with
or without a byte-order mark and with the line ends of any system; from gzip if the name of the file
ends in .gz. Words are separated by spaces,
full stops, commas and quotation marks. A vocabulary lists the words of the training captions in the
order of first use; test captions must consist of the same words.
"""

import contextlib
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from lvm.captions.language import NO_WORD

WORD = re.compile(r'[^\s.,"]+')
LINE_END = re.compile(r"\r\n|\r|\n")
DAMAGED = (OSError, EOFError, zlib.error)  # errors of reading a file, compressed or not
MAX_LINE = 2**24  # letters
LINES_PER_REPORT = 2**14  # lines between two reports of progress


class CaptionFile(NamedTuple):
    """Captions from files, one per image.

    texts:      the sentences.
    ids:        int32 [n, length], their token ids, padded with 0.
    vocabulary: the words by id; 0 stands for no word.
    values:     int32, float32 or str [n] by column, the caption values.
    """

    texts: tuple[str, ...]
    ids: Int[np.ndarray, "n length"]
    vocabulary: tuple[str, ...]
    values: dict[str, Shaped[np.ndarray, " n"]]


def read_text(path: Path) -> str:
    """Returns the text of a UTF-8 file without its byte-order mark; line ends are unchanged.

    Raises ValueError, with file and line, if it cannot be read, is not UTF-8 or contains NUL.
    """
    try:
        with path.open("rb") as file, _decompressed(file, path) as content:
            data = content.read()
    except DAMAGED as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = _line_number(data[: error.start].decode("utf-8", "replace"))
        raise ValueError(
            f"{path} cannot be read: line {line} is not UTF-8: {error}; convert the file (iconv -f "
            "latin1 -t utf-8), or decompress it"
        ) from error
    if "\0" in text:
        raise _contains_nul(path, _line_number(text[: text.index("\0")]))
    return text


def open_text(path: Path, show: Callable[[float], object] = lambda fraction: None) -> Iterator[str]:
    """Yields the lines of a file of any size with their ends, as for `csv.reader`.

    `show` is called now and then with the fraction that has been read. Raises ValueError as
    `read_text` does, and for a line of MAX_LINE letters or more.
    """
    try:
        with (
            path.open("rb") as file,
            _decompressed(file, path) as content,
            io.TextIOWrapper(content, "utf-8-sig", newline="") as lines,
        ):
            size = path.stat().st_size
            for number, line in enumerate(iter(partial(lines.readline, MAX_LINE), ""), 1):
                if "\0" in line:
                    raise _contains_nul(path, number)
                if len(line) == MAX_LINE:
                    raise ValueError(
                        f"{path} cannot be read: line {number} is too long: allowed is less than "
                        f"{MAX_LINE} letters"
                    )
                yield line
                if number % LINES_PER_REPORT == 0:
                    show(file.seek(0, io.SEEK_CUR) / size)  # position in the file
    except UnicodeDecodeError:
        read_text(path)  # raises with the line
        raise
    except DAMAGED as error:
        raise ValueError(f"{path} cannot be read: {error}") from error


def _decompressed(file: BinaryIO, path: Path) -> contextlib.AbstractContextManager[BinaryIO]:
    """Returns the content of an open file: `file`, unless the name of the file ends in .gz."""
    if path.suffix.lower() == ".gz":
        return gzip.GzipFile(fileobj=file)
    return contextlib.nullcontext(file)


def _contains_nul(path: Path, line: int) -> ValueError:
    return ValueError(
        f"{path} cannot be read: line {line} contains NUL: allowed is text in UTF-8; decompress "
        "the file, or convert it if it is UTF-16"
    )


def read_texts(path: Path, count: int, counted: str) -> tuple[str, ...]:
    """Returns the sentences of a file, of which there must be `count`.

    `counted` names the file that determines the count. Raises ValueError, with the file, if it
    cannot be read, for another number of sentences and for a sentence without a word.
    """
    *texts, last = LINE_END.split(read_text(path))
    texts = (*texts, last) if last or not texts else tuple(texts)
    check_texts(str(path), texts, count, counted)
    return texts


def check_texts(where: str, texts: Sequence[str], count: int, counted: str) -> None:
    """Raises ValueError unless there are `count` sentences of one line and one word or more."""
    if len(texts) != count:
        raise ValueError(f"{where} has {len(texts)} captions: allowed is {count}, as in {counted}")
    for row, text in enumerate(texts):
        if "\n" in text or "\r" in text or not WORD.search(text):
            raise ValueError(f"{where}: caption {row} is {text!r}: allowed is a line of words")


def make_vocabulary(texts: Sequence[str]) -> tuple[str, ...]:
    """Returns the words of captions in the order of first use, after the empty word."""
    return ("", *dict.fromkeys(word for text in texts for word in WORD.findall(text)))


def word_ids(
    where: str, texts: Sequence[str], vocabulary: tuple[str, ...]
) -> Int[np.ndarray, "n length"]:
    """Returns the positions of the words in a vocabulary, padded with 0: int32 [n, length].

    Raises ValueError that begins with `where` for a word that the vocabulary lacks.
    """
    ids_by_word = {word: index for index, word in enumerate(vocabulary)}
    rows = [WORD.findall(text) for text in texts]
    ids = np.full((len(rows), max(map(len, rows), default=0)), NO_WORD, np.int32)
    for index, row in enumerate(rows):
        for word in row:
            if word not in ids_by_word:
                raise ValueError(
                    f"{where}: caption {index} contains {word!r}: allowed is one of the "
                    f"{len(vocabulary) - 1} words of the vocabulary"
                )
        ids[index, : len(row)] = [ids_by_word[word] for word in row]
    return ids


def _line_number(text_before: str) -> int:
    """Returns the number, from 1, of the line in which `text_before` ends."""
    return len(LINE_END.findall(text_before)) + 1
