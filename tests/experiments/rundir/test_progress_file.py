"""`progress.json`, written by a run and read by others."""

import pytest

from experiments.rundir import progress_file
from experiments.rundir.progress_file import (
    read_progress,
    temporary_progress,
    write_progress,
)


@pytest.mark.parametrize("content", [None, "", '{"activity": "trai', "[1]", "\xff"])
def test_a_missing_or_damaged_file_is_no_progress(tmp_path, content):
    if content is not None:
        (tmp_path / "progress.json").write_text(content, encoding="latin-1")
    assert read_progress(tmp_path) == {}


def test_a_link_out_of_the_directory_is_not_read(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "secret.json").write_text('{"activity": "training"}')
    (tmp_path / "run" / "progress.json").symlink_to(tmp_path / "secret.json")
    assert read_progress(tmp_path / "run") == {}


def test_the_file_exists_while_the_process_runs(tmp_path):
    with pytest.raises(KeyboardInterrupt), temporary_progress(tmp_path):
        write_progress(tmp_path, {"activity": "training"})
        assert read_progress(tmp_path) == {"activity": "training"}
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_costs_the_file_alone(tmp_path, monkeypatch):
    def refuse(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(progress_file, "write_atomically", refuse)
    write_progress(tmp_path, {"activity": "training"})
    assert read_progress(tmp_path) == {}
