"""The progress bar, and lines without a terminal."""

import io

import pytest
from rich.console import Console

from experiments.runtime import progress as module
from experiments.runtime.progress import counted, duration, progress

NOTE = "step 5, loss -1.234, 120 lane-steps/s, 2 diverged, lanes 0-13 of 42"


@pytest.mark.parametrize("width", [60, 120])
def test_the_bar_shows_the_whole_note_and_the_time_left_in_any_width(width):
    file = io.StringIO()
    with progress(Console(file=file, force_terminal=True, width=width, color_system=None)) as show:
        show("training", 0.5, NOTE)
    printed = " ".join(file.getvalue().split())
    for part in ("training", "50%", "left", "-1.234,", "diverged,", "0-13"):
        assert part in printed


def lines(monkeypatch, *calls):
    """Lines printed for calls (seconds, fraction)."""
    file, now = io.StringIO(), [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    with progress(Console(file=file)) as show:
        for now[0], fraction in calls:
            show("training", fraction, "[3] note")
    return file.getvalue().splitlines()


def test_without_a_terminal_the_first_part_and_every_tenth_are_a_line(monkeypatch):
    calls = [(float(step), step / 100) for step in range(101)]
    printed = lines(monkeypatch, *calls)
    assert len(printed) == 11
    assert printed[0] == "training 1% [3] note, 2 min left"
    assert printed[-2] == "training 90% [3] note, 10 s left"
    assert printed[-1] == "training 100% [3] note"


def test_without_a_terminal_a_slow_run_prints_a_line_about_every_minute(monkeypatch):
    calls = [(10.0 * step, step / 10_000) for step in range(100)]
    assert len(lines(monkeypatch, *calls)) == 15  # the first, and one in 70 seconds


def test_durations_and_counts_are_words():
    assert [duration(s) for s in (3, 89, 600, 6000, 400_000)] == [
        "3 s", "89 s", "10 min", "1.7 h", "4.6 days",
    ]  # fmt: skip
    assert [counted(1, "lane"), counted(2, "lane")] == ["1 lane", "2 lanes"]
