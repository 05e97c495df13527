"""Progress of a block: the note of the bar, and `progress.json`."""

import numpy as np
import pytest

from experiments.rundir.progress_file import read_progress
from experiments.sweep import block_progress as module
from experiments.sweep.block_progress import block_progress, make_pace


@pytest.fixture
def seconds(monkeypatch):
    """A clock whose time the test sets."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_the_note_has_step_loss_pace_and_diverged_lanes(tmp_path, seconds):
    shown = []
    report = block_progress(range(2, 4), [10] * 4, tmp_path, lambda *entry: shown.append(entry))
    report.training(0, np.zeros(0))
    seconds[0] = 2.0
    report.training(5, np.array([-1.5, np.nan]))
    assert shown == [
        ("training", 0.5, "lanes 2-3 of 4"),
        ("training", 0.75, "step 5, loss -1.5, 5 lane-steps/s, 1 diverged, lanes 2-3 of 4"),
    ]
    assert read_progress(tmp_path) == {
        "activity": "training",
        "lanes": [2, 3],
        "step": 5,
        "steps": 10,
        "loss": -1.5,
        "lane_steps_per_second": 5.0,
        "seconds_left": 2.0,
    }
    report.scoring(1)
    assert read_progress(tmp_path) == {
        "activity": "scoring",
        "lanes": [2, 3],
        "step": 10,
        "steps": 10,
        "scored": 1,
    }


def test_a_block_of_diverged_lanes_has_no_loss_in_the_file(tmp_path, seconds):
    report = block_progress(range(1), [10], tmp_path, lambda *entry: None)
    report.training(5, np.array([np.nan]))
    assert read_progress(tmp_path)["loss"] is None


def test_a_process_that_does_not_write_shows_alone(seconds):
    shown = []
    block_progress(range(1), [10], None, lambda *entry: shown.append(entry)).scoring(1)
    assert shown == [("scoring", 1.0, "")]


def test_the_pace_is_that_of_the_last_calls(seconds):
    pace, found = make_pace(), []
    for call in range(20):
        seconds[0] = float(call if call < 10 else 10 + (call - 10) / 4)  # four times as fast
        found.append(pace(100.0 * call))
    assert found[0] is None
    assert (found[5], found[-1]) == (100.0, 400.0)
