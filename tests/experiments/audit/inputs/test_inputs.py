import gzip
import json

import pytest

from experiments.audit.__main__ import SHIPPED_CONCEPTS
from experiments.audit.concepts import make_concepts
from experiments.audit.inputs.caption_files import read_captions
from experiments.audit.inputs.concept_tables import read_concepts, read_labels
from lvm.files.texts import LINES_PER_REPORT, MAX_LINE

CONCEPTS = make_concepts(
    [
        ("colour", "red", ["red", "crimson"]),
        ("colour", "light blue", ["light-blue"]),
        ("size", "big", ["big"]),
    ]
)
RED, BLUE, BIG = range(3)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


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
    ],
)  # fmt: skip
def test_captions_of_each_format(write, name, content, column, captions):
    found = list(read_captions(write(name, content), column))
    assert [caption.strip("\r\n") for caption in found] == captions


@pytest.mark.parametrize(
    ("name", "content", "column", "message"),
    [
        ("c.parquet", b"PAR1", "caption", "c.parquet ends in '.parquet': allowed is .csv"),
        ("c.txt", "ok\nna\u00efve\n".encode("latin1"), "caption",
         "c.txt cannot be read: line 2 is not UTF-8: .* byte 0xef .*; convert the file"),
        ("c.txt", "red".encode("utf-16"), "caption", "line 1 is not UTF-8: .* byte 0xff"),
        ("c.tsv", gzip.compress(b"a dog", mtime=0), "1", "c.tsv cannot be read: line 1 is not UTF"),
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


def test_labels_are_values_or_words_in_any_order_of_columns(write):
    path = write("l.csv", "size, id ,colour\nbig,7,Crimson\n,8, Light blue \n\n")
    unused, rows = read_labels(path, CONCEPTS)
    assert unused == ["id"]
    assert list(rows) == [[RED, BIG], [BLUE, -1], [-1, -1]]


def test_a_group_without_a_column_has_no_labels(write):
    unused, rows = read_labels(write("l.tsv", "colour\nred\n\nlight-blue\n"), CONCEPTS)
    assert (unused, list(rows)) == ([], [[RED, -1], [-1, -1], [BLUE, -1]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("l.txt", "red", "l.txt ends in '.txt': allowed is .csv, .tsv"),
        ("l.csv", "", "l.csv has no columns: its first line is empty"),
        ("l.csv", "color,id\n", "no column of a concept group: it has 'color', 'id'; the group"),
        ("l.csv", "colour,colour\n", "l.csv has the column 'colour' twice: allowed is once"),
        ("l.csv", "id,colour\n1,red\n2,purpel\n",
         "l.csv, line 3: colour is 'purpel': allowed is an empty cell, or red, light blue, or"),
        ("l.csv", "colour\nbig\n", "colour is 'big': allowed"),
        ("l.csv", "colour\n?\n", "colour is '\\?': allowed"),
        ("l.csv", "id,colour\n1\n", "l.csv, line 2 has 1 columns: allowed is 2 or more"),
    ],
)  # fmt: skip
def test_bad_labels_are_refused_with_the_line(write, name, content, message):
    with pytest.raises(ValueError, match=message):
        list(read_labels(write(name, content), CONCEPTS)[1])


def test_concepts_of_a_table(write):
    text = "value,group,words,note\nred,colour, red | dark red ,x\n\nbig,size,big,\n"
    concepts = read_concepts(write("k.csv", text))
    expected = make_concepts([("colour", "red", ["red", "dark red"]), ("size", "big", ["big"])])
    for actual, correct in zip(concepts, expected, strict=True):
        assert str(actual) == str(correct)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "k.csv has no columns"),
        ("group,value,words\n", "k.csv: no concepts: give at least one group, value and word"),
        ("group,value,word\n", "k.csv has no column 'words': it has 'group', 'value', 'word'"),
        ("group,value,words\ncolour,red,\n", r"k.csv: colour \(red\) has no words"),
        ("group,value,words\ncolour,red,red|\n", "k.csv: .* has the word ''"),
        ("group,value,words\ncolour,red,red\nwine,red,Red\n", "'Red' is a word of colour"),
        ("group,value,words\ncolour,red\n", "k.csv.* line 2 has 2 columns"),
    ],
)
def test_bad_concepts_are_refused_with_the_file(write, content, message):
    with pytest.raises(ValueError, match=message):
        read_concepts(write("k.csv", content))


def test_shipped_concepts_have_fifteen_groups():
    concepts = read_concepts(SHIPPED_CONCEPTS)
    groups = {"colour", "size", "shape", "material", "number", "position", "time", "weather"}
    assert groups < set(concepts.groups)
    assert len(concepts.groups) == 15
    assert len(concepts.values) > 140


def test_captions_written_as_json_are_read_back(write):
    texts = [
        "a \u2028 dog\n",
        "x\ty",
        "\ud83d\udc36".encode("utf-16", "surrogatepass").decode("utf-16"),
    ]
    lines = "".join(json.dumps({"caption": text}) + "\n" for text in texts)
    assert list(read_captions(write("c.jsonl", lines), "caption")) == texts
