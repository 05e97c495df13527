"""Parts of the measurements on an accelerator, on a CPU with small sizes."""

import shutil
import sys
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from experiments.benchmark.accelerator import (
    image_parts,
    marked_tests,
    step_ladders,
    studies_on_device,
    timed_runs,
)
from experiments.benchmark.accelerator.device_check import check_device, read_ceilings
from experiments.benchmark.accelerator.device_sizes import DEVICE, SMOKE
from experiments.benchmark.accelerator.part_task import PartTask, make_record
from experiments.benchmark.accelerator.step_ladders import flat_range
from experiments.benchmark.accelerator.timed_runs import RunProgress, timed_run
from experiments.benchmark.measurement.cases import Case, prepare_function
from tests.repository import ROOT


@pytest.fixture
def task(tmp_path):
    record = make_record(tmp_path / "part.csv")
    return PartTask(SMOKE, record, tmp_path, deadline=time.time() + 60)


def recorded(task):
    return pd.read_csv(task.out / "part.csv").set_index("case")


def test_a_row_replaces_an_earlier_one_of_the_same_case(task):
    task.record("a", value=1)
    task.record("b", value=2)
    task.record("a", value=3, note="more")
    rows = recorded(task)
    assert list(rows.index) == ["b", "a"]
    assert list(rows.value) == [2, 3]


def test_ceilings_are_read_back_by_precision(task):
    check_device(task._replace(record=make_record(task.out / "device.csv")))
    ceilings = read_ceilings(task.out)
    assert ceilings.keys() == {"float32", "bfloat16"}
    assert min(ceilings.values()) > 0
    notes = pd.read_csv(task.out / "device.csv").set_index("case").note
    assert notes["package jax"] == jax.__version__
    assert read_ceilings(task.out / "nowhere") == {}


def test_a_cpu_is_refused_at_full_sizes(task):
    with pytest.raises(ValueError, match="jax uses cpu: allowed is gpu or tpu"):
        check_device(task._replace(sizes=DEVICE))


def test_marked_tests_are_recorded_one_by_one(task, monkeypatch):
    file = task.out / "test_marked.py"
    file.write_text(
        "import pytest\n\n"
        "@pytest.mark.accelerator\n"
        "@pytest.mark.parametrize('text', ['a b', 'c'])\n"
        "def test_good(text): pass\n\n"
        "@pytest.mark.accelerator\ndef test_bad(): assert 1 == 2\n\n"
        "def test_unmarked(): pass\n"
    )
    monkeypatch.setattr(marked_tests, "marked_files", lambda tests: [file])
    with pytest.raises(RuntimeError, match="1 failed, 2 passed, 1 deselected"):
        marked_tests.run_marked_tests(task)
    notes = {case.split("::")[1]: note for case, note in recorded(task).note.items()}
    assert notes == {
        "test_good[a b]": "passed",
        "test_good[c]": "passed",
        "test_bad": "failed: assert 1 == 2",
    }


def test_files_with_the_marker_are_found():
    names = {path.name for path in marked_tests.marked_files(marked_tests.ROOT / "tests")}
    assert {"test_precision.py", "test_compiled.py", "test_known_answers.py"} <= names
    assert "test_schedule.py" not in names


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({32: 1.0, 64: 1.1, 128: 1.15, 256: 1.3}, (32, 128)),
        ({32: 3.0, 64: 1.1, 128: 1.0, 256: 1.19}, (64, 256)),
        ({32: 1.0, 64: 2.0, 128: 1.1}, (32, 32)),
        ({32: 1.1, 64: 2.0, 128: 1.0}, (128, 128)),
    ],
)
def test_the_flat_range_surrounds_the_shortest_time(times, expected):
    assert flat_range(times) == expected


def square_case(lanes, prepare=None):
    square = partial(prepare_function, lambda x: x @ x, lambda: (jnp.ones((16, 16)),))
    return Case("square", 16, lanes, prepare or square)


def refused():
    raise jax.errors.JaxRuntimeError("INTERNAL: no such kernel\nmore")


def test_lanes_are_recorded_with_their_flat_range(task, monkeypatch):
    cases = [square_case(32), square_case(64, refused), square_case(512)]
    monkeypatch.setattr(step_ladders.step_cases, "numeric_config", lambda lanes, name, **_: None)
    monkeypatch.setattr(step_ladders.step_cases, "shared_state_ladder", lambda *_, **__: cases)
    step_ladders.fast_lanes(task)
    rows = recorded(task)
    assert rows.time_ms[["fast, 32 lanes", "fast, 512 lanes"]].min() > 0
    assert rows.note["fast, 64 lanes"] == "INTERNAL: no such kernel"
    assert rows.value["flat from"] <= rows.value["flat to"]
    ratio = rows.loc["longest over shortest lane-step, 32 to 512 lanes"]
    assert ratio.verdict == ("met" if ratio.value <= 1.2 else "missed")


def test_cases_without_time_are_left_out(task, monkeypatch):
    monkeypatch.setattr(step_ladders.step_cases, "numeric_config", lambda lanes, name, **_: None)
    monkeypatch.setattr(
        step_ladders.step_cases, "shared_state_ladder", lambda *_, **__: [square_case(1)]
    )
    step_ladders.fast_lanes(task._replace(deadline=0.0))
    assert recorded(task).note.to_dict() == {"fast, 1 lanes": "no time left"}


def test_memory_is_measured_beside_its_prediction(task, monkeypatch):
    """Only where a case uses more than all before."""
    peaks = iter([1.0, 5.0, 5.0])
    monkeypatch.setattr(step_ladders, "peak_mib", lambda: next(peaks))
    cases = {"large": square_case(2), "small": square_case(1)}
    rows = list(step_ladders._measure(task, cases))
    assert [row.get("measured_mib") for row in rows] == [5.0, None]
    assert rows[0]["peak_mib"] > 0


def test_a_step_by_paper_is_a_fraction_of_the_ceiling_of_its_precision(task, monkeypatch):
    row = {"lanes": 4, "gflops": 30.0}
    monkeypatch.setattr(step_ladders, "read_ceilings", lambda out: {"tf32": 60.0, "float32": 100.0})
    monkeypatch.setattr(step_ladders, "_paper_cases", lambda task, precision: precision)
    monkeypatch.setattr(step_ladders, "_image_cases", lambda task: None)
    monkeypatch.setattr(step_ladders, "_measure", lambda task, cases: [row])
    step_ladders.large_steps(task)
    rows = recorded(task)
    assert rows.value.to_dict() == {
        "paper, tf32, 4 lanes: fraction of the ceiling": 0.5,
        "paper, float32, 4 lanes: fraction of the ceiling": 0.3,
    }
    assert list(rows.verdict) == ["met", "missed"]


HISTORY = "lane,step,loss\\n0,200,1.0\\n1,200,1.0\\n0,400,1.0\\n"
WRITE = f"""
import sys, pathlib, time
directory = pathlib.Path(sys.argv[-1].removeprefix("--workdir="))
directory.mkdir()
(directory / "history.csv").write_text("{HISTORY}")
"""


def run_program(task, monkeypatch, program, seconds):
    """A run whose process is a Python program; returns its end and all reports."""
    monkeypatch.setattr(timed_runs, "COMMAND", (sys.executable, "-c", WRITE + program))
    monkeypatch.setattr(timed_runs, "POLL", 0.05)
    reports = []
    deadline = time.time() + seconds
    end = timed_run(["quickstart"], task.out / "run", deadline, reports.append)
    return end, reports


def test_a_run_is_observed_until_its_end(task, monkeypatch):
    end, reports = run_program(task, monkeypatch, "", 60)
    assert (end.lane_steps, end.finished) == (600, True)
    assert 0 < end.trained <= end.seconds < 60
    assert reports[-1] == end


def test_a_run_is_stopped_at_the_deadline(task, monkeypatch):
    end, _ = run_program(task, monkeypatch, "time.sleep(100)", 2.0)
    assert not end.finished
    assert end.seconds < 20


def test_a_run_that_fails_is_reported_by_its_last_line(task, monkeypatch):
    with pytest.raises(RuntimeError, match="misalign run quickstart: error: no lanes"):
        run_program(task, monkeypatch, "sys.exit('line\\nerror: no lanes')", 60)


def fake_run(calls=None, seconds=50.0, ends=True):
    """A function like `timed_run` whose runs have the scores of docs/results/numeric."""

    def fake(arguments, directory, deadline, report):
        if calls is not None:
            calls.append((arguments, deadline))
        shutil.copytree(ROOT / "docs" / "results" / "numeric", directory)
        progress = RunProgress(seconds, 12, 40.0, ends)
        report(progress)
        return progress

    return fake


def test_the_numerical_section_has_seconds_and_scores(task, monkeypatch):
    """The scores of the worst lanes are those of docs/results/numeric/README.md."""
    monkeypatch.setattr(studies_on_device, "timed_run", fake_run(seconds=70.0))
    studies_on_device.numerical_section(task)
    rows = recorded(task)
    seconds = rows.loc["seconds with compilation and scores"]
    assert (seconds.value, seconds.target, seconds.verdict) == (70.0, 60, "missed")
    by_mlp = rows.loc[["single lanes, mlp, independent", "single lanes, mlp, dependent"]]
    assert (by_mlp.lanes == 126).all()
    assert by_mlp["least kept"].round(3).tolist() == [0.966, 0.967]
    assert by_mlp["most leaked"].round(3).tolist() == [0.001, 0.031]


def test_a_section_that_is_stopped_has_its_steps(task, monkeypatch):
    monkeypatch.setattr(studies_on_device, "timed_run", fake_run(ends=False))
    studies_on_device.numerical_section(task)
    (row,) = recorded(task).itertuples()
    assert (row.verdict, row.lane_steps) == ("not finished", 12)


def scores_of(directories):
    """A table like that of `compare`, with the number of the run as its leak."""
    return pd.DataFrame(
        {"label": label, "run": path.name, "least kept": 0.99, "most leaked": float(number)}
        for number, path in enumerate(directories)
        for label in ("select [1]", "select [5]")
    )


def test_scores_in_each_precision_are_side_by_side(task, monkeypatch):
    calls = []
    monkeypatch.setattr(studies_on_device, "timed_run", fake_run(calls))
    monkeypatch.setattr(studies_on_device, "compare", scores_of)
    studies_on_device.precision_table(task)
    assert [arguments[-1].split("=")[1] for arguments, _ in calls] == [
        "float32", "tf32", "bfloat16",
    ]  # fmt: skip
    assert all(deadline < task.deadline for _, deadline in calls)
    rows = recorded(task)
    assert (rows.seconds[["float32", "tf32", "bfloat16"]] == 50).all()
    scores = rows.loc[["select [1]", "select [5]"]]
    assert (scores["most leaked, tf32"] == 1).all() and (scores["most leaked, bfloat16"] == 2).all()
    assert (scores.filter(like="least kept") == 0.99).all(axis=None)


@pytest.mark.parametrize("limit", [60.0, 0.0])
def test_rendering_beyond_the_limit_is_computed_from_the_rate(task, monkeypatch, limit):
    def batches(scenes, resolution):
        for _ in range(4):
            time.sleep(0.02)
            yield np.zeros((1, resolution, resolution, 3), np.uint8)

    monkeypatch.setattr(image_parts.lvm, "sample_scenes", lambda key, count: ())
    monkeypatch.setattr(image_parts, "render_batches", batches)
    image_parts.render_images(task, limit)
    (row,) = recorded(task).itertuples()
    assert row.Index == "seconds for 4 images of 8 pixels"
    assert row.verdict == "met"
    assert row.value >= 0.08 if limit else row.note.startswith("computed from 1 images")


def test_scenes_are_trained_in_the_time_that_is_left(task, monkeypatch):
    calls = []
    monkeypatch.setattr(image_parts, "timed_run", fake_run(calls))
    monkeypatch.setattr(image_parts, "render_images", lambda task, limit: None)
    image_parts.rendering_and_scenes(task)
    (row,) = recorded(task).itertuples()
    assert (row.value, row.note) == (12, "finished")
    assert calls[0][0] == SMOKE.scenes
