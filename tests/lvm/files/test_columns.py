import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lvm.files.columns import check_column, read_columns, write_columns

FINITE = st.floats(width=32, allow_nan=False, allow_infinity=False)
ANY = (-np.inf, np.inf)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("columns") / "table.csv"


@given(arrays.arrays(np.float32, st.integers(1, 20), elements=FINITE))
def test_float32_values_round_trip(path, values):
    write_columns(path, {"value": values})
    read = check_column("value", read_columns(path, ["value"])["value"], ANY)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, values)


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))))
def test_words_round_trip(path, words):
    numbers = np.arange(len(words), dtype=np.int32)
    write_columns(path, {"word": np.array(words, str), "number": numbers})
    columns = read_columns(path, ["number", "word"])
    assert list(columns) == ["word", "number"]
    assert list(columns["word"]) == np.array(words, str).tolist()
    np.testing.assert_array_equal(check_column("number", columns["number"], 100), numbers)


def test_the_content_of_a_file(path):
    write_columns(path, {"a": np.array([0.5, 1e-9], np.float32), "b": np.array(["x", "y, z"])})
    assert path.read_text() == 'a,b\n0.5,x\n9.99999972e-10,"y, z"\n'


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "table.csv has no column b: its columns are none"),
        ("a,c\n1,2\n", "table.csv has no column b: its columns are a, c"),
        (
            "a,b\n\n1,2\n1\n",
            "table.csv: row 1 has 1 fields: allowed is 2, as in the header; see line 4",
        ),
        ("a,b\n1,2,3\n", "table.csv: row 0 has 3 fields"),
        ("a,b,b\n1,2,3\n", "table.csv has 2 columns b: allowed is one"),
        ('a,b\n1,"2\n', "table.csv cannot be read: line 2: unexpected end of data"),
        ('a,b\n1,"2\n3,4"\n', "table.csv cannot be read: line 2: a quote is not closed"),
        ('a,b\n1,"2\n3,"4"\n', "table.csv cannot be read: line 2: ',' expected after '\"'"),
        (b"a,b\n1,\xff\n", "table.csv cannot be read: line 2 is not UTF-8: .*invalid start byte"),
        (b"a,b\r1,2\r1,\0\r", "table.csv cannot be read: line 3 contains NUL: allowed is text"),
    ],
)
def test_damaged_tables_are_refused(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        read_columns(path, ["b"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_marks_and_line_ends_of_other_systems_are_read(tmp_path, end):
    path = tmp_path / "table.csv"
    lines = ["a,b", "", '1,"x, y"', '2,"say ""z"""']
    path.write_bytes(b"\xef\xbb\xbf" + (end.join(lines) + end).encode())
    assert read_columns(path, ["a", "b"]) == {"a": ("1", "2"), "b": ("x, y", 'say "z"')}


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="none.csv cannot be read: .*No such file"):
        read_columns(tmp_path / "none.csv", [])


@pytest.mark.parametrize("column", [["0", "2.0", "1"], np.array([0, 2, 1], np.float64)])
def test_columns_have_the_type_that_is_allowed(column):
    for allowed, dtype in ((3, np.int32), ((0.0, 2.0), np.float32)):
        checked = check_column("x", column, allowed)
        assert checked.dtype == dtype
        np.testing.assert_array_equal(checked, [0, 2, 1])
    assert check_column("x", ["red", "nan"], None).tolist() == ["red", "nan"]


@pytest.mark.parametrize(
    ("value", "allowed", "message"),
    [
        ("3", 3, "x.csv: y is 3 in row 1: allowed is an integer, 0..2"),
        ("-1", 3, "y is -1 in row 1: allowed is an integer, 0..2"),
        ("0.5", 3, "y is 0.5 in row 1: allowed is an integer"),
        ("nan", 3, "y is nan in row 1: allowed is an integer"),
        ("", 3, "y is  in row 1: allowed is an integer"),
        ("red", 3, "y is red in row 1"),
        ("1_0", 11, "y is 1_0 in row 1"),
        ("\u0662", 3, "y is \u0662 in row 1"),
        ("1.01", (0.0, 1.0), "y is 1.01 in row 1: allowed is a number, 0.0 to 1.0"),
        ("NaN", (0.0, 1.0), "y is NaN in row 1: allowed is a number"),
        ("inf", (0.0, 1.0), "y is inf in row 1"),
    ],
)
def test_values_out_of_range_are_refused(value, allowed, message):
    with pytest.raises(ValueError, match=message):
        check_column("x.csv: y", ["1", value, "9"], allowed)


def test_nan_in_an_array_is_refused():
    with pytest.raises(ValueError, match="y is nan in row 2: allowed is a number, 0.0 to 1.0"):
        check_column("y", np.array([0, 1, np.nan], np.float32), (0.0, 1.0))
