"""The page in the terminal."""

import io

import pytest
from rich.console import Console

from experiments.watch import __main__ as program
from experiments.watch.snapshot import take_snapshot
from experiments.watch.terminal_page import render_page, sparkline
from tests.experiments.watch.conftest import ODD_LABEL


def page(snapshot, width=100, height=40):
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render_page(snapshot, width, height))
    return console.file.getvalue()


def test_a_running_page_has_progress_curves_and_names_as_they_are(running):
    text = page(take_snapshot(running))
    assert "training lanes 0-1 of 2, step 4 of 6, loss -1.25, 1,234 lane-steps/s" in text
    assert " min left" in text
    assert "67%" in text
    assert ODD_LABEL in " ".join(text.split())
    assert running.name in text


def test_a_stopped_page_says_so_and_promises_no_time(stopped):
    text = page(take_snapshot(stopped))
    assert "stopped: 0 of 2 lanes scored; the same command resumes the run" in text
    assert "left" not in text


@pytest.mark.parametrize(("width", "height"), [(30, 12), (60, 20), (200, 60)])
def test_a_page_fits_its_terminal(running, width, height):
    snapshot = take_snapshot(running)
    setting = snapshot["settings"][1]
    many = [setting | {"label": f"setting {index}"} for index in range(50)]
    text = page(snapshot | {"settings": many}, width, height)
    assert all(len(line) <= width for line in text.splitlines())
    assert "more settings" in text


def test_flagged_lanes_are_named_with_the_reason(running):
    snapshot = take_snapshot(running)
    flags = {"status": "diverged at step 4 or before", "reason": "usual reason: [markup]"}
    snapshot["lanes"] = [lane | flags for lane in snapshot["lanes"]]
    text = " ".join(page(snapshot).split())
    assert "lane 1 (select [2] perturb {2}, dependent, seed 0) diverged at step 4" in text
    assert text.count("usual reason: [markup]") == 2


def test_a_curve_is_drawn_in_blocks_of_its_last_values():
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([-3.0, None, 7.0]) == "▁█"
    assert sparkline([]) == ""
    assert len(sparkline([0.1] * 1000)) == 16


def test_without_a_terminal_the_page_is_printed_once(stopped):
    console = Console(file=io.StringIO(), width=100)
    program.watch(stopped, console)
    assert "stopped: 0 of 2 lanes scored" in console.file.getvalue()


def test_in_a_terminal_the_page_follows_the_run_until_it_ends(running, monkeypatch):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            (running / "lock").write_text("")

    monkeypatch.setattr(program.time, "sleep", wait)
    program.watch(running, console)
    assert waits == [2.0, 2.0]
    text = console.file.getvalue()
    assert text.index("running as process") < text.index("stopped: 0 of 2 lanes scored")
