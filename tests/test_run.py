"""End to end: the command line, a few steps long."""

import io
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pandas as pd
import pytest
from rich.console import Console

import lvm
from experiments import run as run_module
from experiments import work
from experiments.configs import default
from experiments.plan import arrange, make_plan
from experiments.progress import progress
from experiments.report import print_end
from experiments.results import read_results
from experiments.rundir import claim, claimed, origin
from experiments.signals import Stopped
from experiments.stored import stored_checkpoints
from tests.small import small_config
from tests.test_checkpoints import damage

ROOT = Path(__file__).parent.parent


def run(directory, config):
    """Runs a config in a directory; returns what that prints."""
    console = Console(record=True, width=120, file=io.StringIO())
    plan = make_plan(config)
    with claimed(directory, config, plan.lanes) as lanes:
        run_module.run(arrange(plan, lanes), directory, console, origin(config))
    return console.export_text()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished")
    return directory, run(directory, small_config())


def test_a_run_leaves_what_the_readme_says(finished):
    directory, _ = finished
    names = {path.name for path in directory.iterdir()}
    assert names == {"config.json", "checkpoints", "history.csv", "results.csv", "figures", "lock"}
    assert (directory / "figures" / "r2.png").stat().st_size > 1000


def test_it_tells_progress_and_prints_measured_and_attainable(finished):
    _, text = finished
    assert "training 100% step 6, loss" in text
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
        "environment",
        "value",
        "attainable",
        "status",
    ]
    assert not results.duplicated(["lane", "modality", "probe", "target", "metric"]).any()
    rows = results.groupby("metric").size()
    assert dict(rows) == {"r2": 24, "r2_beyond": 16, "mean_corr": 4, "linear_cka": 4}
    assert set(results.target) == {"s1", "s2", "s3", "m_x", "m_t", "rep"}
    numbers = results.set_index("metric")[["value", "attainable"]].drop(["mean_corr", "linear_cka"])
    assert (numbers != "").all(axis=None)
    assert set(results.status) == {"ok"}


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


def assert_same_tables(directory, other):
    for name in ("results.csv", "history.csv"):
        assert (directory / name).read_bytes() == (other / name).read_bytes()


def test_a_broken_run_goes_on_to_the_same_results(finished, tmp_path, monkeypatch):
    """Killed after the checkpoint at step 4 with a history that is already further."""
    append = work.history.append

    def killed(directory, numbers, lanes, step, metrics):
        append(directory, numbers, lanes, step, metrics)
        if step == 6:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(work.history, "append", killed)
        run(tmp_path, small_config())
    assert not (tmp_path / "results.csv").exists()
    console = Console(record=True, width=200, file=io.StringIO())
    print_end(tmp_path, console)
    assert "0 of 2 lanes scored; lanes 0-1 are at step 6 of 6" in console.export_text()

    run(tmp_path, small_config())
    assert_same_tables(tmp_path, finished[0])


def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(finished, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    (directory / "results.csv").unlink()
    newest = stored_checkpoints(directory)[0]
    damage(newest)
    text = run(directory, small_config())
    assert f"checkpoint {newest.path} cannot be read" in text.replace("\n", "")
    assert "checkpoints/damaged/lanes_0-1_6" in text.replace("\n", "")
    assert "going on from checkpoint" in text
    assert "checkpoints/lanes_0-1/4" in text.replace("\n", "")
    assert_same_tables(directory, finished[0])


def test_a_finished_run_grows_and_keeps_what_was_there(finished, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    grown = small_config(seeds=2)
    run(directory, grown)
    before, after = ((place / "results.csv").read_text() for place in (finished[0], directory))
    assert after.startswith(before)
    kept = stored_checkpoints(finished[0])[0].path.relative_to(finished[0])
    assert (directory / kept).exists()
    whole = tmp_path / "whole"
    run(whole, grown)
    results, expected = (read_results(place / "results.csv") for place in (directory, whole))
    assert results.lane.unique().tolist() == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(results, expected, rtol=1e-3, atol=1e-3)


def test_blocks_give_the_same_results_as_all_lanes_together(finished, tmp_path):
    run(tmp_path, small_config(lanes_per_block=1))
    assert {stored.lanes for stored in stored_checkpoints(tmp_path)} == {range(1), range(1, 2)}
    results, expected = (read_results(place / "results.csv") for place in (tmp_path, finished[0]))
    pd.testing.assert_frame_equal(results, expected, rtol=1e-3, atol=1e-3)


def test_lanes_that_do_not_fit_together_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "bytes_usable", lambda: 1)
    text = run(tmp_path, small_config())
    assert "2 lanes do not fit in memory together: 1 at a time" in text
    assert read_results(tmp_path / "results.csv").lane.unique().tolist() == [0, 1]


def test_out_of_memory_halves_the_block(tmp_path, monkeypatch):
    finish = work.finish

    def finish_one_alone(task):
        if len(task.block.lanes) > 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
        finish(task)

    monkeypatch.setattr(work, "finish", finish_one_alone)
    text = run(tmp_path, small_config())
    assert "2 lanes ran out of memory together: 1 at a time" in text
    assert read_results(tmp_path / "results.csv").lane.unique().tolist() == [0, 1]


def test_a_full_disk_costs_checkpoints_but_not_the_last(finished, tmp_path, monkeypatch):
    """Room comes back after step 4; without room for the last checkpoint the run says so."""
    free = iter([0, 1 << 30])
    usage = lambda path: SimpleNamespace(free=next(free, 0))
    monkeypatch.setattr(work.shutil, "disk_usage", usage)
    text = run(tmp_path / "one", small_config())
    assert "no room for the checkpoint of step 4" in text
    assert [stored.step for stored in stored_checkpoints(tmp_path / "one")] == [6]
    assert_same_tables(tmp_path / "one", finished[0])
    with pytest.raises(OSError, match="no room for the checkpoint of step 6: .* make room"):
        run(tmp_path / "none", small_config())
    assert not (tmp_path / "none" / "results.csv").exists()


def test_a_full_disk_costs_rows_of_the_history_not_the_run(finished, tmp_path, monkeypatch):
    append = work.history.append

    def full(directory, numbers, lanes, step, advance):
        if step == 4:
            raise OSError(28, "No space left on device")
        append(directory, numbers, lanes, step, advance)

    monkeypatch.setattr(work.history, "append", full)
    text = run(tmp_path, small_config())
    assert "history.csv has nothing of step 4: No space left on device" in text
    assert (tmp_path / "results.csv").read_bytes() == (finished[0] / "results.csv").read_bytes()


def test_a_stop_while_scores_are_made_says_so(tmp_path, monkeypatch):
    stops = iter([False, False, False, True])  # after each chunk of training, then of scoring
    stopping = lambda: next(stops)
    monkeypatch.setattr(run_module, "stop_requests", lambda: nullcontext(stopping))
    settings = tuple(default.setting(name) for name in ("s1", "s2", "s3"))
    with pytest.raises(Stopped, match="all steps, before the scores of 3 lanes were complete"):
        run(tmp_path, small_config(settings=settings))
    assert not (tmp_path / "results.csv").exists()


def test_a_checkpoint_of_other_versions_is_gone_on_from_and_told(finished, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    (directory / "results.csv").unlink()
    path = stored_checkpoints(directory)[0].path / "_CHECKPOINT_METADATA"
    path.write_text(path.read_text().replace(f'"jax": "{jax.__version__}"', '"jax": "0.0"'))
    text = run(directory, small_config())
    assert "it was made with jax 0.0: results may differ by rounding" in text
    assert_same_tables(directory, finished[0])


class FailingCheckpoints:
    """Checkpoints that cannot be saved: neither while training goes on nor at its end."""

    def __init__(self, at_the_end):
        self.at_the_end = at_the_end

    def save_async(self, *args, **kwargs):
        if not self.at_the_end:
            raise OSError("disk gone")

    def close(self):
        if self.at_the_end:
            raise RuntimeError("quota exceeded\nand a long trace")


def test_a_checkpoint_that_fails_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "open_checkpoints", lambda *args: FailingCheckpoints(False))
    text = run(tmp_path, small_config())
    assert "a checkpoint could not be saved, older ones stay: disk gone" in text


def test_a_last_checkpoint_that_fails_is_an_error_with_a_way_on(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "open_checkpoints", lambda *args: FailingCheckpoints(True))
    with pytest.raises(OSError, match="last checkpoint could not be saved: quota exceeded; give"):
        run(tmp_path, small_config())


def test_a_sick_lane_is_told_and_changes_no_other(tmp_path, monkeypatch):
    """Lanes with noise probability 0.5 get batches that are not finite."""
    sample_pairs = lvm.sample_pairs

    def sick_pairs(key, world, bias, noise_probability, count, shift):
        pairs = sample_pairs(key, world, bias, noise_probability, count, shift)
        sick = (noise_probability == 0.5) & (count == small_config().recipe.batch)
        return pairs._replace(x=jnp.where(sick, jnp.nan, pairs.x))

    monkeypatch.setattr(lvm, "sample_pairs", sick_pairs)

    def results(name, probability):
        settings = (default.setting("s1"), default.setting("s1 s2", "s2", "dependent"))
        settings[1].noise_probability = probability
        text = run(tmp_path / name, small_config(settings=settings))
        return read_results(tmp_path / name / "results.csv"), text

    sick, text = results("sick", 0.5)
    healthy, _ = results("healthy", 0.51)
    assert "lane 1 (select [2] perturb {2}, dependent, seed 0) diverged at step 0" in text
    pd.testing.assert_frame_equal(sick[sick.lane == 0], healthy[healthy.lane == 0])
    assert set(sick.status[sick.lane == 1]) == {"diverged at step 0"}
    assert sick.value[sick.lane == 1].isna().all()
    assert healthy.value.notna().all()


def test_a_request_to_stop_saves_and_says_how_to_go_on(finished, tmp_path):
    arguments = ("--config=tests/small.py", f"--workdir={tmp_path / 'run'}")
    command_line = [sys.executable, "-m", "experiments.run", *arguments]
    long = "--config.recipe.steps=1000000"
    streams = {"stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command_line, long], cwd=ROOT, **streams) as process:
        while not (tmp_path / "run" / "history.csv").exists():
            time.sleep(0.1)
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    done = stored_checkpoints(tmp_path / "run")[0].step
    assert f"stopped after {done} of 1000000 steps; the same command goes on from there" in text


def test_report_needs_a_run_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(ValueError, match="is not a run directory"):
            print_end(path, Console(quiet=True))


def test_report_before_the_first_step(tmp_path):
    claim(tmp_path, small_config(), make_plan(small_config()).lanes)
    console = Console(record=True, width=200, file=io.StringIO())
    print_end(tmp_path, console)
    assert "0 of 2 lanes scored" in console.export_text()


def test_the_bar_shows_step_loss_and_time_left():
    file = io.StringIO()
    with progress(Console(file=file, force_terminal=True, width=120)) as show:
        show("training", 0.5, "step 5, loss -1.234")
    for part in ("training", "50%", "step 5, loss -1.234", "left"):
        assert part in file.getvalue()


def command(*arguments):
    """The command line in a process of its own: its exit status and what it says."""
    process = subprocess.run(
        [sys.executable, "-m", "experiments.run", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
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
