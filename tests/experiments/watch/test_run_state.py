"""Whether a run is running, by its lock and the times of its files."""

import os
import socket
import subprocess
import sys

import pytest

from experiments.rundir.lock import locked
from experiments.watch.run_state import news_age, run_state

HERE = socket.gethostname()


def hold(directory, process, host, seconds_ago=0.0):
    """Makes a directory that a process held; its last news is so many seconds old."""
    (directory / "lock").write_text(f"process {process} on {host} since Mon Jan  1 00:00:00 2024")
    (directory / "config.json").write_text("{}")
    now = (directory / "config.json").stat().st_mtime
    os.utime(directory / "config.json", (now - seconds_ago, now - seconds_ago))
    return run_state(directory, scored=1, lanes=4)


def test_a_run_whose_process_holds_the_lock_is_running(tmp_path):
    with locked(tmp_path):
        state = run_state(tmp_path, scored=1, lanes=4)
        assert state.name == "running"
        assert f"process {os.getpid()} on {HERE}: 1 of 4 lanes scored" in state.sentence
        with pytest.raises(ValueError, match="is being written"), locked(tmp_path):
            pass
    state = run_state(tmp_path, scored=1, lanes=4)
    assert (state.name, state.sentence) == (
        "stopped", "stopped: 1 of 4 lanes scored; the same command resumes the run"
    )  # fmt: skip


def test_a_run_whose_process_has_ended_without_a_word_has_stopped(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    state = hold(tmp_path, ended.pid, HERE, seconds_ago=7200)
    assert state.name == "stopped"
    assert state.sentence.startswith(f"stopped: process {ended.pid} on {HERE} has ended, last")
    assert "2.0 h ago" in state.sentence


def test_a_process_of_another_user_is_alive(tmp_path):
    assert hold(tmp_path, 1, HERE).name == "running"


@pytest.mark.parametrize(("seconds", "name"), [(10, "running"), (300, "running"), (3600, "quiet")])
def test_a_process_of_another_machine_is_judged_by_its_news(tmp_path, seconds, name):
    state = hold(tmp_path, 7, "node-3.cluster", seconds)
    assert state.name == name
    assert "process 7 on node-3.cluster" in state.sentence
    assert ("news" in state.sentence) == (seconds > 60)


@pytest.mark.parametrize("text", ["", "\xff\xfe", "process of someone"])
def test_an_empty_or_foreign_lock_is_held_by_nobody(tmp_path, text):
    (tmp_path / "lock").write_text(text, encoding="latin-1")
    assert run_state(tmp_path, scored=0, lanes=1).name == "stopped"


def test_a_finished_run_is_finished_whatever_its_lock(tmp_path):
    hold(tmp_path, 1, HERE)
    state = run_state(tmp_path, scored=4, lanes=4)
    assert (state.name, state.sentence) == ("finished", "finished: 4 of 4 lanes scored")


def test_a_clock_that_is_behind_makes_no_negative_age(tmp_path):
    hold(tmp_path, 1, HERE, seconds_ago=-5000)
    assert news_age(tmp_path) == 0
