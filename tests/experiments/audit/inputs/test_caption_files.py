import gzip
import json
import random
from functools import partial

import pytest

from experiments.audit.inputs.caption_files import (
    caption_files,
    check_caption_files,
    read_all_captions,
    read_captions,
)
from lvm.files.texts import LINES_PER_REPORT, MAX_LINE

zipped = partial(gzip.compress, mtime=0)  # the names of tests contain the bytes


@pytest.mark.parametrize(
    ("name", "content", "column", "captions"),
    [
        ("c.txt", "a dog\n\na cat", "caption", ["a dog", "", "a cat"]),
        ("c.TXT", "\ufeffa dog\r\ncat\u2028here\x85\n", "caption", ["a dog", "cat\u2028here\x85"]),
        ("c.tsv", "id\tcaption\n1\ta \"dog\n\n2\ta cat\"\n", "caption", ['a "dog', "", 'a cat"']),
        ("c.tsv", "a dog\thttp://x\na cat\thttp://y", "1", ["a dog", "a cat"]),
        ("c.tsv", "a dog\r\na\rcat\r\n", "1", ["a dog", "a", "cat"]),
        ("c.tsv", "caption\turl\n\thttp://y\n", "caption", [""]),
        ("c.csv", 'url, text\nx,"a ""dog"",\nbig"\ny,a cat\n', "text", ['a "dog",\nbig', "a cat"]),
        ("c.csv", "\ufeffcaption\na dog\n\n", "caption", ["a dog", ""]),
        ("c.csv", "1,2,3\n", "3", ["3"]),
        ("c.jsonl", '{"text": "a dog", "n": 1}\n\n{"text": null}\n{"text": "caf\\u00e9"}', "text",
         ["a dog", "", "", "café"]),
        ("c.txt", "", "caption", []),
        ("c.txt.gz", zipped("a dog\r\nü".encode()), "caption", ["a dog", "ü"]),
        ("c.TSV.GZ", zipped(b"caption\na \"dog\n"), "caption", ['a "dog']),
        ("c.csv.gz", zipped(b'caption\n"a\ndog"\n'), "caption", ["a\ndog"]),
        ("c.jsonl.gz", zipped(b'{"caption": "a dog"}\n'), "caption", ["a dog"]),
    ],
)  # fmt: skip
def test_captions_of_each_format(write, name, content, column, captions):
    found = list(read_captions(write(name, content), column))
    assert [caption.strip("\r\n") for caption in found] == captions


@pytest.mark.parametrize(
    ("name", "content", "column", "message"),
    [
        ("c.doc", b"a dog", "caption", "c.doc ends in '.doc': allowed is .csv, .tsv, .jsonl, .txt"),
        ("c.doc.gz", b"a dog", "caption", "c.doc.gz ends in '.doc.gz': allowed is .csv"),
        ("c.parquet", b"PAR1", "caption", "c.parquet cannot be read: Parquet"),
        ("c.txt.gz", b"a dog", "caption", "c.txt.gz cannot be read: Not a gzipped file"),
        ("c.txt.gz", zipped(b"a dog\n")[:-4], "caption",
         "c.txt.gz cannot be read: Compressed file ended before"),
        ("c.txt.gz", zipped(b"a dog\n")[:10] + b"\xff" * 9, "caption",
         "c.txt.gz cannot be read: Error -3 while decompressing"),
        ("c.csv.gz", zipped(b"caption\nok\nna\xefve\n"), "caption",
         "c.csv.gz cannot be read: line 3 is not UTF-8"),
        ("c.txt", "ok\nna\u00efve\n".encode("latin1"), "caption",
         "c.txt cannot be read: line 2 is not UTF-8: .* byte 0xef .*; convert the file"),
        ("c.txt", "red".encode("utf-16"), "caption", "line 1 is not UTF-8: .* byte 0xff"),
        ("c.tsv", zipped(b"a dog"), "1", "c.tsv cannot be read: line 1 is not UTF"),
        ("c.jsonl", b"\x89PNG\r\n\x1a\n\0\0", "caption", "c.jsonl cannot be read: line 1 is not"),
        ("c.txt", b"a" * (MAX_LINE + 5), "caption",
         "line 1 is too long: allowed is less than 16777216"),
        ("c.csv", "text,url\na dog,x\n", "caption",
         "c.csv has no column 'caption': its first row is 'text', 'url'; give --column, a name"),
        ("c.tsv", f"{'dog' * 40}\tx\n", "caption", "first row is 'dogdog.*…', 'x'; .* from 1 to 2"),
        ("c.tsv", "a\tb\n", "3", "no column '3'"),
        ("c.tsv", "a\tb\n", "0", "no column '0'"),
        ("c.csv", "", "caption", "no column 'caption': its first row is empty"),
        ("c.csv", "url,caption\nx,a\n\ny\n", "caption", "c.csv, line 4 has 1 columns: allowed"),
        ("c.csv", 'caption\n"' + "a\n" * 70_000, "caption", "look for an unclosed quotation mark"),
        ("c.csv", 'caption\n"a dog\na cat\n', "caption", "c.csv, line 3: .* unclosed quot"),
        ("c.jsonl", '{"text": "a"}\n', "caption", "line 1 has no 'caption': it has 'text'; "),
        ("c.jsonl", '{"caption": "a"}\n{', "caption", "c.jsonl, line 2 is not JSON: "),
        ("c.jsonl", "[" * 100_000, "caption", "c.jsonl, line 1 is not JSON: "),
        ("c.jsonl", '["a"]', "caption", "c.jsonl, line 1 is no JSON object: allowed is one per"),
        ("c.jsonl", '{"caption": 3}', "caption", "'caption' is not text: allowed is a caption"),
    ],
)  # fmt: skip
def test_bad_captions_are_refused_with_the_line(write, name, content, column, message):
    with pytest.raises(ValueError, match=message):
        list(read_captions(write(name, content), column))


def test_progress_is_a_fraction_of_the_file(write):
    path = write("c.txt", "a dog\n" * (3 * LINES_PER_REPORT))
    fractions = []
    assert sum(1 for _ in read_captions(path, "caption", fractions.append)) == 3 * LINES_PER_REPORT
    assert fractions == pytest.approx([1 / 3, 2 / 3, 1])


def test_progress_is_a_fraction_of_a_compressed_file(write):
    letters = random.Random(0)
    lines = "".join(f"{letters.getrandbits(64):x}\n" for _ in range(2 * LINES_PER_REPORT))
    fractions = []
    list(read_captions(write("c.txt.gz", zipped(lines.encode())), "x", fractions.append))
    assert fractions == pytest.approx([1 / 2, 1], abs=0.1)


def test_captions_written_as_json_are_read_back(write):
    texts = [
        "a \u2028 dog\n",
        "x\ty",
        "\ud83d\udc36".encode("utf-16", "surrogatepass").decode("utf-16"),
    ]
    lines = "".join(json.dumps({"caption": text}) + "\n" for text in texts)
    assert list(read_captions(write("c.jsonl", lines), "caption")) == texts


def test_captions_of_a_folder_are_those_of_its_files_by_path(write, tmp_path):
    write("b.txt", "two\n")
    write("a/z.csv", "id,caption\n1,one\n")
    write("c.txt.gz", zipped(b"three\n"))
    for name in ("c.jpg", "a/readme", ".hidden.txt", ".cache/d.txt"):
        write(name, b"\xff")
    (tmp_path / "folder.txt").mkdir()
    files = caption_files(tmp_path)
    assert [file.relative_to(tmp_path).as_posix() for file in files] == [
        "a/z.csv", "b.txt", "c.txt.gz"
    ]  # fmt: skip
    check_caption_files(files, "caption")
    captions = read_all_captions(files, "caption")
    assert [caption.strip() for caption in captions] == ["one", "two", "three"]


def test_progress_in_a_folder_is_a_fraction_of_all_bytes(write, tmp_path):
    write("a.txt", "a dog\n" * LINES_PER_REPORT)
    write("b.txt", "a dog\n" * LINES_PER_REPORT * 3)
    fractions = []
    list(read_all_captions(caption_files(tmp_path), "caption", fractions.append))
    assert fractions == pytest.approx([1 / 4, 2 / 4, 3 / 4, 1])


def test_a_folder_without_captions_is_refused(write, tmp_path):
    write("a.jpg", b"")
    with pytest.raises(ValueError, match="is a folder without files of captions: allowed is a fol"):
        caption_files(tmp_path)


def test_a_file_that_cannot_be_read_is_found_before_any_other_is(write, tmp_path):
    write("a.csv", "caption\na dog\n")
    write("b.csv", "text\na dog\n")
    with pytest.raises(ValueError, match="b.csv has no column 'caption': its first row is 'text'"):
        check_caption_files(caption_files(tmp_path), "caption")
