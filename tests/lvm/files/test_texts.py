import numpy as np
import pytest

from lvm.files.texts import (
    LINES_PER_REPORT,
    MAX_LINE,
    check_texts,
    make_vocabulary,
    open_text,
    read_texts,
    word_ids,
)

TEXTS = ['A hare of "tab:blue" color, at the top-left.', "The top-left shows a hare."]


def test_a_vocabulary_lists_words_in_order_of_first_use():
    vocabulary = make_vocabulary(TEXTS)
    expected = ["", "A", "hare", "of", "tab:blue", "color", "at", "the", "top-left"]
    assert list(vocabulary) == [*expected, "The", "shows", "a"]


def test_ids_are_positions_in_the_vocabulary():
    ids = word_ids("x", TEXTS, make_vocabulary(TEXTS))
    assert ids.dtype == np.int32
    np.testing.assert_array_equal(ids, [[1, 2, 3, 4, 5, 6, 7, 8], [9, 8, 10, 11, 2, 0, 0, 0]])
    assert word_ids("x", [], ("",)).shape == (0, 0)


def test_a_word_that_the_vocabulary_lacks_is_refused():
    message = "x.txt: caption 1 contains 'The': allowed is one of the 8 words of the vocabulary"
    with pytest.raises(ValueError, match=message):
        word_ids("x.txt", TEXTS, make_vocabulary(TEXTS[:1]))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_a_file_has_one_sentence_per_line(tmp_path, mark, end, last):
    path = tmp_path / "text_raw.txt"
    path.write_bytes(mark + (end.join(TEXTS) + end * last).encode())
    assert read_texts(path, 2, "x.csv") == tuple(TEXTS)


def test_an_opened_text_has_no_mark_and_unchanged_line_ends(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfa,b\r\n1,2\r3,4\n")
    assert list(open_text(path)) == ["a,b\r\n", "1,2\r", "3,4\n"]


def test_an_opened_text_is_read_while_its_lines_are_used(tmp_path):
    path = tmp_path / "captions.txt"
    path.write_text("A cow\n" * 3 * LINES_PER_REPORT)
    fractions = []
    lines = open_text(path, fractions.append)
    assert next(lines) == "A cow\n"
    assert fractions == []
    assert sum(1 for _ in lines) == 3 * LINES_PER_REPORT - 1
    assert fractions == pytest.approx([1 / 3, 2 / 3, 1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"A cow\r\nA \0 hare", "line 2 contains NUL: allowed is text"),
        (b"A cow\n" * 5000 + b"caf\xe9\n", "line 5001 is not UTF-8: .* convert the file"),
        (b"A" * MAX_LINE, "line 1 is too long: allowed is less than 16777216 letters"),
    ],
)
def test_an_opened_text_of_other_content_is_refused_with_its_line(tmp_path, content, message):
    path = tmp_path / "captions.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"captions.txt cannot be read: {message}"):
        list(open_text(path))


def test_empty_lines_are_no_captions(tmp_path):
    path = tmp_path / "text_raw.txt"
    for content in ("", "\n", "A cow\n\n", "A cow\r\r\n"):
        path.write_text(content, newline="")
        with pytest.raises(ValueError, match="text_raw.txt: caption . is '': allowed is a line"):
            read_texts(path, 1 + content.startswith("A"), "x.csv")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le"])
def test_other_encodings_and_binary_files_are_refused(tmp_path, codec):
    path = tmp_path / "text_raw.txt"
    path.write_bytes("\n".join(TEXTS).encode(codec))
    with pytest.raises(ValueError, match="text_raw.txt cannot be read: line 1 (is not|contains N)"):
        read_texts(path, 2, "x.csv")
    path.write_bytes(b"A cow\nA \0 hare\n")
    with pytest.raises(ValueError, match="text_raw.txt cannot be read: line 2 contains NUL: allow"):
        read_texts(path, 2, "x.csv")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (TEXTS[:1], "y.txt has 1 captions: allowed is 2, as in x.csv"),
        ([*TEXTS, "A cow"], "y.txt has 3 captions: allowed is 2, as in x.csv"),
        (["A cow", " ."], "y.txt: caption 1 is ' .': allowed is a line of words"),
        (["A\ncow", "A hare"], "y.txt: caption 0 is .*: allowed is a line of words"),
    ],
)
def test_invalid_captions_are_refused(texts, message):
    with pytest.raises(ValueError, match=message):
        check_texts("y.txt", texts, 2, "x.csv")


def test_unreadable_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="none.txt cannot be read: .*No such file"):
        read_texts(tmp_path / "none.txt", 1, "x.csv")
    (tmp_path / "raw.txt").write_bytes(b"A cow\r\ncaf\xe9 ")
    with pytest.raises(ValueError, match="raw.txt cannot be read: line 2 is not UTF-8: .*invalid"):
        read_texts(tmp_path / "raw.txt", 1, "x.csv")
