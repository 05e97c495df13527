"""The command that measures on an accelerator: processes, limits, summary and wheels."""

import os
import subprocess
import sys
import time

import pandas as pd
import pytest
from absl.testing import flagsaver

from experiments.benchmark import wheel_list
from experiments.benchmark.accelerator import __main__ as program
from experiments.benchmark.accelerator import part_process
from experiments.benchmark.accelerator.device_check import SETUP
from experiments.benchmark.accelerator.device_parts import DEVICE_PARTS
from experiments.benchmark.accelerator.device_sizes import DEVICE, SMOKE
from experiments.benchmark.accelerator.device_summary import markdown_table, summary_page
from experiments.benchmark.accelerator.part_process import PartOutcome, run_part, run_parts
from experiments.runtime.command_line import CONFIG, parse_flags
from experiments.sweep.plan import make_plan
from tests.repository import ROOT

SCRIPT = ROOT / "experiments" / "benchmark" / "accelerator.sh"
PART = """
import pathlib, sys, time
options = dict(argument.lstrip("-").split("=") for argument in sys.argv[1:])
file = pathlib.Path(options["out"], options["part"] + ".csv")
file.write_text("case,value,target,verdict\\na,1,2,met")
if options["part"] == FAILS:
    sys.exit("error: it fails")
"""


def python(text):
    return [sys.executable, "-c", text]


def test_every_part_has_a_time_limit_and_all_fit_in_nine_minutes():
    assert DEVICE.seconds.keys() == DEVICE_PARTS.keys()
    assert program.SECONDS < 540
    assert sum(list(DEVICE.seconds.values())[:5]) < 0.75 * program.SECONDS  # the important ones
    assert len(DEVICE_PARTS) + 1 <= 8  # files


@pytest.mark.filterwarnings("ignore:the load_module")  # of ml_collections
@pytest.mark.parametrize(("sizes", "lanes"), [(DEVICE, (126, 16, 13)), (SMOKE, (1, 1, 1))])
def test_runs_have_valid_configs(sizes, lanes, monkeypatch):
    runs = (sizes.numeric, (*sizes.precision, "--config.recipe.precision=tf32"), sizes.scenes)
    for arguments, count in zip(runs, lanes, strict=True):
        argv = ["run", *arguments]
        monkeypatch.setattr(sys, "argv", argv)  # where ml_collections finds fields
        with flagsaver.flagsaver():
            parse_flags(argv)
            assert len(make_plan(CONFIG.value).lanes) == count


def test_a_part_ends_done_failed_or_at_its_limit():
    done, failed = (run_part("a", 60.0, python(text)) for text in ("", "print(1)\n1 / 0"))
    assert (done.status, done.output) == ("done", "")
    assert failed.status == "failed"
    assert failed.output.splitlines()[0] == "1"
    assert failed.output.endswith("ZeroDivisionError: division by zero")


def test_a_part_at_its_limit_is_stopped_with_its_processes(tmp_path):
    child = f"import time, pathlib; time.sleep(3); pathlib.Path({str(tmp_path / 'late')!r}).touch()"
    text = "import subprocess, sys\nprint('begun', flush=True)\n"
    text += f"subprocess.run([sys.executable, '-c', {child!r}])"
    outcome = run_part("a", 1.5, python(text))
    assert outcome.status == "time limit"
    assert outcome.seconds < 10
    time.sleep(3)
    assert not (tmp_path / "late").exists()


def test_parts_share_the_time_that_is_left(monkeypatch):
    monkeypatch.setattr(
        part_process, "run_part", lambda name, limit, command: PartOutcome(name, "done", 0.0, limit)
    )
    outcomes = list(run_parts(["a", "b"], {"a": 20.0}, 100.0, []))
    assert [round(outcome.limit) for outcome in outcomes] == [20, 95]
    (late,) = run_parts(["a"], {"a": 20.0}, 12.0, [])
    assert late.status == "no time left"


def fake_parts(monkeypatch, fails):
    command = lambda out, *, smoke: [*python(PART.replace("FAILS", repr(fails))), f"--out={out}"]
    monkeypatch.setattr(program, "part_command", command)
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_a_part_that_fails_is_recorded_and_the_next_begins(tmp_path, monkeypatch, capsys):
    fake_parts(monkeypatch, "tests")
    with pytest.raises(SystemExit) as exit_status:
        program.main([f"--out={tmp_path}", "--parts=device,tests,lanes"])
    assert exit_status.value.code == 1
    page = (tmp_path / "summary.md").read_text()
    assert "## tests: failed" in page and "error: it fails" in page
    assert "## lanes: done" in page
    assert {path.name for path in tmp_path.iterdir()} == {
        "device.csv", "tests.csv", "lanes.csv", "summary.md",
    }  # fmt: skip
    assert "tests: failed" in capsys.readouterr().out


def test_without_a_device_nothing_else_is_measured(tmp_path, monkeypatch):
    fake_parts(monkeypatch, "device")
    with pytest.raises(SystemExit):
        program.main([f"--out={tmp_path}", "--parts=device,lanes"])
    assert "lanes" not in (tmp_path / "summary.md").read_text()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--parts=device,lane", "parts holds 'lane': allowed is device, tests"),
        ("--part=lane", "part holds 'lane'"),
        ("--part=device", "jax uses cpu"),
    ],
)
def test_bad_arguments_end_in_one_line(argument, message, tmp_path):
    with pytest.raises(SystemExit, match=message):
        program.main([f"--out={tmp_path / 'out'}", argument])


def test_the_summary_has_targets_and_memory_before_the_parts(tmp_path):
    rows = pd.DataFrame(
        {
            "case": ["a", "b|c"],
            "peak_mib": [2.0, 8.0],
            "measured_mib": [None, 10.0],
            "value": [1.0, None],
            "target": [2.0, None],
            "verdict": ["met", None],
        }
    )
    rows.to_csv(tmp_path / "lanes.csv", index=False)
    outcomes = [PartOutcome("lanes", "time limit", 9.96, 10.0), PartOutcome("x", "failed", 1, 2)]
    page = summary_page(tmp_path, outcomes)
    assert "| lanes | time limit | 10 | 10 | 2 |" in page
    assert "| x | failed | 1 | 2 | 0 |" in page
    assert "| lanes | a | 1 | 2 | met |" in page
    assert "| lanes | b\\|c | 8 | 10 | 1.25 |" in page
    assert page.index("## Targets") < page.index("## Memory") < page.index("## lanes")


def test_a_markdown_table_leaves_out_empty_columns():
    table = pd.DataFrame({"a": [1.23456, None], "empty": [None, None]})
    assert markdown_table(table) == "| a |\n| --- |\n| 1.235 |\n|  |"


def test_wheels_are_those_that_are_not_assumed():
    report = {"install": [{"metadata": {"name": n, "version": "1"}} for n in ("ml_dtypes", "Flax")]}
    assert wheel_list.missing(report, ["ml-dtypes", "jax"]) == ["Flax==1"]
    lines = wheel_list.requirements(SETUP)
    names = [wheel_list.name_of(line) for line in lines]
    assert {"jax", "orbax-checkpoint", "pytest", "beartype"} <= set(names)
    assert "torch" not in names and "h5py" not in names
    assert any(line.startswith("flax >=0.12") for line in lines)


def run_script(out, *arguments, **variables):
    environment = os.environ | {"OUT": str(out), "PYTHON": sys.executable} | variables
    command = ["bash", str(SCRIPT), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_the_script_measures_the_ceilings_of_a_cpu(tmp_path):
    process = run_script(tmp_path, "--smoke", "--parts=device")
    assert process.returncode == 0, process.stdout + process.stderr
    assert "## device: done" in (tmp_path / "summary.md").read_text()


def test_a_folder_without_wheels_is_refused(tmp_path):
    process = run_script(tmp_path, WHEELS=str(tmp_path))
    assert process.returncode == 1
    assert process.stderr == f"error: WHEELS is {tmp_path}: allowed is a folder of wheels\n"


@pytest.mark.slow
def test_the_script_measures_every_part_at_small_sizes(tmp_path):
    """A slow machine may leave no time for the last parts, but none fails."""
    process = run_script(tmp_path, "--smoke")
    assert process.returncode == 0, process.stdout + process.stderr
    page = (tmp_path / "summary.md").read_text()
    assert all(f"## {name}: " in page for name in DEVICE_PARTS)
    assert len(list(tmp_path.iterdir())) <= 8
