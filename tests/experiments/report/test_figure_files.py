import pytest
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure
from experiments.rundir.csv_tables import complete_lines
from lvm.files.atomic import write_atomically


@pytest.mark.parametrize(("content", "data"), [("a é\n", b"a \xc3\xa9\n"), (b"\0\xff", b"\0\xff")])
def test_an_atomic_write_replaces_the_content_of_a_file(tmp_path, content, data):
    write_atomically(tmp_path / "file", "longer than what comes")
    write_atomically(tmp_path / "file", content)
    assert (tmp_path / "file").read_bytes() == data
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_failed_write_leaves_the_previous_content(tmp_path, monkeypatch):
    def fail(file):
        raise OSError("no space left on device")

    write_atomically(tmp_path / "file", "old")
    monkeypatch.setattr("lvm.files.atomic.os.fsync", fail)
    with pytest.raises(OSError, match="no space left"):
        write_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_incomplete_last_line_is_left_out_and_a_binary_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("one\ntwo\nthr")
    assert complete_lines(tmp_path / "file") == ["one\n", "two\n"]
    (tmp_path / "file").write_bytes(b"\xff\n")
    with pytest.raises(ValueError, match="file is no text"):
        complete_lines(tmp_path / "file")


def test_a_figure_is_written_as_png_and_as_pdf(tmp_path):
    save_figure(Figure(), tmp_path / "new" / "figure.png")
    assert (tmp_path / "new" / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "new" / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert len(list((tmp_path / "new").iterdir())) == 2
