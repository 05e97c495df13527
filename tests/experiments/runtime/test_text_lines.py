import pytest

from experiments.runtime.text_lines import complete_lines


def test_an_incomplete_last_line_is_left_out_and_a_binary_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("one\ntwo\nthr")
    assert complete_lines(tmp_path / "file") == ["one\n", "two\n"]
    (tmp_path / "file").write_bytes(b"\xff\n")
    with pytest.raises(ValueError, match="file is no text"):
        complete_lines(tmp_path / "file")
