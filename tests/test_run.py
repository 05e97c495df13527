"""End to end: the command line, a few steps long."""

import io
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from experiments import run as run_module
from experiments.plan import make_plan
from experiments.progress import progress
from experiments.report import report
from experiments.rundir import claim
from tests.small import small_config


def run(directory, config, console=None):
    plan = make_plan(config)
    claim(directory, config)
    console = console or Console(quiet=True)
    run_module.run(plan, directory, console)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished")
    console = Console(record=True, width=120, file=io.StringIO())
    run(directory, small_config(), console)
    return directory, console.export_text()


def test_a_run_leaves_what_the_readme_says(finished):
    directory, _ = finished
    names = {path.name for path in directory.iterdir()}
    assert names == {"config.json", "checkpoints", "history.csv", "results.csv", "figures"}
    assert (directory / "figures" / "r2.png").stat().st_size > 1000


def test_it_tells_progress_and_prints_measured_and_attainable(finished):
    _, text = finished
    assert "training 6/6 loss" in text
    assert "select [2] perturb {2}, dependent semantics, size 1, noise" in text
    assert "attainable" in text


def test_results_are_tidy_and_complete(finished):
    results = pd.read_csv(finished[0] / "results.csv", keep_default_na=False)
    assert list(results.columns) == [
        "lane",
        "seed",
        "setting",
        "selected",
        "perturbable",
        "dependence",
        "encoding_size",
        "noise_probability",
        "modality",
        "probe",
        "target",
        "metric",
        "value",
        "attainable",
    ]
    keys = ["lane", "modality", "probe", "target"]
    assert len(results) == 2 * 2 * 2 * 6
    assert not results.duplicated(keys).any()
    assert set(results.target) == {"s1", "s2", "s3", "m_x", "m_t", "rep"}
    assert results[["value", "attainable"]].notna().all(axis=None)


def test_history_has_every_lane_at_every_point(finished):
    history = pd.read_csv(finished[0] / "history.csv")
    assert history.groupby("lane").step.apply(list).tolist() == [[2, 4, 6]] * 2
    assert history[["loss", "grad_norm"]].notna().all(axis=None)


def test_a_finished_run_is_not_done_again(finished, monkeypatch):
    directory, _ = finished
    before = {path: path.stat().st_mtime_ns for path in directory.glob("*.*")}
    monkeypatch.setattr(run_module, "make_sweep", None)
    run(directory, small_config())
    assert {path: path.stat().st_mtime_ns for path in directory.glob("*.*")} == before


def test_a_broken_run_goes_on_to_the_same_results(finished, tmp_path, monkeypatch):
    """Killed after the checkpoint at step 4 with a history that is already further."""
    append = run_module.history.append

    def killed(directory, plan, step, metrics):
        append(directory, plan, step, metrics)
        if step == 6:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(run_module.history, "append", killed)
        run(tmp_path, small_config())
    assert not (tmp_path / "results.csv").exists()
    console = Console(record=True, width=200, file=io.StringIO())
    report(tmp_path, console)
    assert "6 of 6 steps done; scores come at the end" in console.export_text()

    run(tmp_path, small_config())
    for name in ("results.csv", "history.csv"):
        assert (tmp_path / name).read_bytes() == (finished[0] / name).read_bytes()


def test_report_needs_a_run_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(ValueError, match="is not a run directory"):
            report(path, Console(quiet=True))


def test_report_before_the_first_step(tmp_path):
    claim(tmp_path, small_config())
    console = Console(record=True, width=200, file=io.StringIO())
    report(tmp_path, console)
    assert "0 of 6 steps done" in console.export_text()


def test_the_bar_shows_step_loss_and_time_left():
    file = io.StringIO()
    with progress(Console(file=file, force_terminal=True, width=120), "training", 0, 10) as show:
        show(5, "loss -1.234")
    for part in ("training 5/10", "loss -1.234", "left"):
        assert part in file.getvalue()


def command(*arguments):
    """The command line in a process of its own: its exit status and what it says."""
    process = subprocess.run(
        [sys.executable, "-m", "experiments.run", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
    )
    return process.returncode, process.stdout + process.stderr


QUICKSTART = "--config=experiments/configs/quickstart.py"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((QUICKSTART, "--config.recipe.step=5"), "'step' Did you mean \"steps\""),
        ((QUICKSTART + ":papr",), "recipe is 'papr': allowed is one of fast, paper; nearest"),
        ((QUICKSTART, "--config.recipe.batch=1"), "recipe.batch is 1: allowed is 2 or more"),
        ((QUICKSTART, "--config.recipe.batch=many"), "--config.recipe.batch=many: invalid"),
        ((QUICKSTART, "--config.settings[0].selected=s11"), "settings[0].selected holds 's11'"),
        ((QUICKSTART, "--config.settings[9].selected=s1"), "index out of range"),
        ((QUICKSTART, "--workdr=here"), "Did you mean: workdir"),
        (("--config=experiments/configs/nope.py",), "No such file or directory"),
        ((), "--config must have a value"),
    ],
)
def test_a_bad_command_ends_in_a_message_before_any_work(arguments, message, tmp_path):
    directory = tmp_path / "run"
    status, text = command(*arguments, f"--workdir={directory}")
    assert status == 1
    assert message in text
    assert text.startswith("error: ")
    assert "Traceback" not in text
    assert not directory.exists()
