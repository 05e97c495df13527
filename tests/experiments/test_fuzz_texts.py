"""Random text files in several encodings: captions and tables are read exactly, or refused.

A refusal is one line. `python -m pytest -m slow tests/experiments/test_fuzz_texts.py` tries many
more.
"""

import codecs
import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.audit.inputs.caption_files import read_captions
from lvm.files.columns import read_columns
from lvm.files.texts import read_texts
from tests.experiments.test_fuzz import PROFILE

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1")
WORDS = st.text(st.sampled_from("ab1é,;'\"\t# \u2028\ufeff形\0"), max_size=6)
FILES = given(
    lines=st.lists(WORDS.map(lambda word: f"a{word}z"), min_size=1, max_size=5),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    last=st.booleans(),
    encoding=st.sampled_from(ENCODINGS),
)


def read_or_refuse(read, *args):
    """The result, or None if it is refused; the message of a refusal is one line."""
    try:
        return read(*args)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1 or "\u2028" in str(error)
        return None


def check_captions(lines, end, last, encoding):
    """Every reader of captions returns exactly the lines of a UTF-8 file, or refuses it."""
    data = (end.join(lines) + end * last).encode(encoding, "replace")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captions.txt"
        path.write_bytes(data)
        texts = read_or_refuse(read_texts, path, len(lines), "labels.csv")
        captions = read_or_refuse(lambda: list(read_captions(path, "caption")))
    expected = decoded(data, lines, encoding)
    assert texts == expected
    assert captions is None if expected is None else strip(captions) == list(expected)


def decoded(data, lines, encoding):
    """The lines if the file must be read, None if it must be refused."""
    readable = encoding.startswith("utf-8") or data.isascii()
    if not readable or b"\0" in data:
        return None
    written = encoding if encoding == "latin-1" else "utf-8"  # which may lack letters
    return tuple(line.encode(written, "replace").decode(written) for line in lines)


def strip(captions):
    return [caption.rstrip("\r\n") for caption in captions]


def check_tables(lines, end, last, encoding):
    """Readers of tables return exactly the cells, or refuse the file; quotes are balanced."""
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=end).writerows(
        [["caption", "n"], *([w, "1"] for w in lines)]
    )
    text = written.getvalue() if last else written.getvalue().removesuffix(end)
    data = text.encode(encoding, "replace")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "captions.csv"
        path.write_bytes(data)
        columns = read_or_refuse(read_columns, path, ["caption"])
        captions = read_or_refuse(lambda: list(read_captions(path, "caption")))
        expected = decoded(data, lines, encoding)
        assert (columns and columns["caption"]) == expected
        assert captions == (expected and list(expected))
        path.write_bytes(data + codecs.encode(f'{end}"open,1{end}', "utf-8"))
        assert read_or_refuse(read_columns, path, ["caption"]) is None
        assert read_or_refuse(lambda: list(read_captions(path, "caption"))) is None


@settings(max_examples=150, **PROFILE)
@FILES
def test_captions_are_read_exactly_or_refused(lines, end, last, encoding):
    check_captions(lines, end, last, encoding)


@settings(max_examples=150, **PROFILE)
@FILES
def test_tables_are_read_exactly_or_refused(lines, end, last, encoding):
    check_tables(lines, end, last, encoding)


@pytest.mark.slow
@settings(max_examples=5000, **PROFILE)
@FILES
def test_many_captions_and_tables_are_read_exactly_or_refused(lines, end, last, encoding):
    check_captions(lines, end, last, encoding)
    check_tables(lines, end, last, encoding)
