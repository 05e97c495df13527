"""The lines of `misalign run --dry_run`."""

import io
import re

import pytest
from rich.console import Console

from experiments import run as run_module
from experiments.rundir.claim import claim
from experiments.sweep import estimate
from experiments.sweep.blocks import Block
from experiments.sweep.estimate import Measured, estimate_lines
from experiments.sweep.plan import lanes_of, make_plan
from tests.small import small_config


def estimated(directory, config):
    console = Console(record=True, width=200, file=io.StringIO())
    run_module.print_estimate(make_plan(config), (), directory, console)
    return console.export_text().splitlines()


def test_lanes_blocks_memory_and_time_are_printed_and_nothing_is_written(tmp_path):
    lines = estimated(tmp_path / "run", small_config())
    assert lines[0] == "lanes: 2 to run of 2"
    block = r"block: lanes 0-1, steps 0 to 6: .*, \S+ ms per step; \d+ MB of [\d,]+ MB usable on ea"
    assert re.match(block, lines[1])
    assert re.match(r"training: about .*, without compilation and scoring", lines[2])
    assert not any(tmp_path.iterdir())


def test_finished_lanes_are_not_counted(finished):
    before = {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")}
    lines = estimated(finished[0], small_config(seeds=2))
    assert lines[0] == "lanes: 2 to run of 4"
    assert lines[1].startswith("block: lanes 2-3, steps 0 to 6")
    assert {path: path.stat().st_mtime_ns for path in finished[0].rglob("*")} == before


@pytest.fixture
def one_lane_fits(monkeypatch):
    measured = Measured(lanes=1, needed=0, devices=1, per_step=2.0, per_monitoring=0.5)
    monkeypatch.setattr(estimate, "_measure", lambda plan, shared: measured)


def test_lanes_that_do_not_fit_are_divided(one_lane_fits):
    lines = estimate_lines(make_plan(small_config()), (), [Block(range(2), None)])
    assert [line.split(",")[0] for line in lines[1:3]] == ["block: lanes 0-0", "block: lanes 1-1"]
    assert (
        lines[3] == "training: about 27.0 seconds, without compilation and scoring"
    )  # 2 (12 + 1.5)


def test_more_steps_are_those_of_the_run_in_the_directory(tmp_path, one_lane_fits):
    config = small_config(**{"recipe.decay": False})
    claim(tmp_path, config, lanes_of(config))
    longer = small_config(seeds=2, **{"recipe.decay": False, "recipe.steps": 9})
    lines = estimated(tmp_path, longer)
    assert lines[0] == "lanes: 4 to run of 4"
    assert lines[1].startswith("block: lanes 0-0, steps 0 to 9: 20.2 seconds")
