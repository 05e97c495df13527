import sys
import tracemalloc

import pyarrow
import pytest
from pyarrow import parquet

from experiments.audit.inputs.caption_files import read_captions
from experiments.audit.inputs.parquet_rows import BATCH

CAPTIONS = ["a dog", None, "", "a caf\u00e9"]


@pytest.fixture
def write(tmp_path):
    def write_table(columns, **options):
        path = tmp_path / "c.parquet"
        parquet.write_table(pyarrow.table(columns), path, **options)
        return path

    return write_table


@pytest.mark.parametrize(
    "kind", [pyarrow.string(), pyarrow.large_string(), pyarrow.dictionary(pyarrow.int8(), "str")]
)
def test_captions_of_a_column(write, kind):
    path = write({"URL": ["x"] * 4, "TEXT": pyarrow.array(CAPTIONS).cast(kind)}, row_group_size=3)
    assert list(read_captions(path, "TEXT")) == ["a dog", "", "", "a caf\u00e9"]


def test_batches_are_read_one_at_a_time_in_order(write):
    captions, fractions = [str(index) for index in range(3 * BATCH)], []
    path = write({"caption": captions}, row_group_size=2 * BATCH)
    assert list(read_captions(path, "caption", fractions.append)) == captions
    assert fractions == pytest.approx([1 / 3, 2 / 3, 1])


def test_memory_is_independent_of_the_number_of_rows(write):
    def peak(rows):
        path = write({"caption": ["a red car " * 20] * rows}, use_dictionary=False)
        before = pyarrow.total_allocated_bytes()
        tracemalloc.start()
        allocated = max(
            pyarrow.total_allocated_bytes() - before
            for index, _ in enumerate(read_captions(path, "caption"))
            if index % 1000 == 0
        )
        traced = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return allocated + traced

    assert peak(20 * BATCH) < 1.5 * peak(4 * BATCH)


def test_a_file_without_rows_has_no_captions(write):
    assert list(read_captions(write({"caption": pyarrow.array([], "str")}), "caption")) == []


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("caption", "c.parquet has no column 'caption': it has 'URL', 'TEXT', 'n'; give --column"),
        ("2", "c.parquet has no column '2'"),
        ("n", "c.parquet: the column 'n' is of type int64: allowed is text"),
    ],
)
def test_other_columns_are_refused(write, column, message):
    path = write({"URL": ["x"], "TEXT": ["a dog"], "n": [1]})
    with pytest.raises(ValueError, match=message):
        next(read_captions(path, column))


def test_a_damaged_file_is_refused_in_one_line(write):
    path = write({"caption": [f"a dog {index}" for index in range(5000)]})
    data = path.read_bytes()
    for damaged in (data[:-9], data[:50] + b"\xff" * 2000 + data[2050:], b""):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="c.parquet cannot be read: ") as refusal:
            list(read_captions(path, "caption"))
        assert "\n" not in str(refusal.value)


def test_text_that_is_not_utf_8_is_refused(write):
    column = pyarrow.array([b"caf\xe9"]).view("str")
    with pytest.raises(ValueError, match="c.parquet cannot be read: 'utf-8' codec can't decode"):
        list(read_captions(write({"caption": column}), "caption"))


def test_without_pyarrow_the_message_says_how_to_install_it(write, monkeypatch):
    path = write({"caption": ["a dog"]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ValueError, match="c.parquet is a parquet file, and pyarrow is not inst"):
        next(read_captions(path, "caption"))
