"""End to end: a run of a few steps, broken, resumed, grown and in blocks."""

import io
import shutil

import pandas as pd
import pytest
from rich.console import Console

from experiments import run as run_module
from experiments.report.write_report import print_summary
from experiments.rundir import history
from experiments.rundir.checkpoint_files import list_checkpoints
from experiments.rundir.claim import claim
from experiments.rundir.results import read_results
from experiments.sweep.plan import make_plan
from tests.runs import assert_same_tables, run
from tests.small import small_config


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
        "noise_law",
        "encoding_size",
        "misalignment",
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
    monkeypatch.setattr(run_module, "compile_sweep", None)
    run(directory, small_config(), report=True)
    assert {path: path.stat().st_mtime_ns for path in directory.glob("*.*")} == before


def test_a_broken_run_goes_on_to_the_same_results(finished, tmp_path, monkeypatch):
    """Killed after the checkpoint at step 4 with a history that is already further."""
    append = history.append

    def killed(directory, lanes, step, **scores):
        append(directory, lanes, step, **scores)
        if step == 6:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(history, "append", killed)
        run(tmp_path, small_config())
    assert not (tmp_path / "results.csv").exists()
    console = Console(record=True, width=200, file=io.StringIO())
    print_summary(tmp_path, console)
    assert "0 of 2 lanes scored; lanes 0-1 are at step 6 of 6" in console.export_text()

    run(tmp_path, small_config())
    assert_same_tables(tmp_path, finished[0])


def test_a_finished_run_grows_and_keeps_what_was_there(finished, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    grown = small_config(seeds=2)
    run(directory, grown)
    before, after = ((place / "results.csv").read_text() for place in (finished[0], directory))
    assert after.startswith(before)
    kept = list_checkpoints(finished[0])[0].path.relative_to(finished[0])
    assert (directory / kept).exists()
    whole = tmp_path / "whole"
    run(whole, grown)
    results, expected = (read_results(place / "results.csv") for place in (directory, whole))
    assert results.lane.unique().tolist() == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(results, expected, rtol=1e-3, atol=1e-3)


def test_blocks_give_the_same_results_as_all_lanes_together(finished, tmp_path):
    run(tmp_path, small_config(lanes_per_block=1))
    assert {stored.lanes for stored in list_checkpoints(tmp_path)} == {range(1), range(1, 2)}
    results, expected = (read_results(place / "results.csv") for place in (tmp_path, finished[0]))
    pd.testing.assert_frame_equal(results, expected, rtol=1e-3, atol=1e-3)


def test_a_setting_with_steps_of_its_own_is_trained_so_long(finished, tmp_path):
    """And comes out as where all settings are; the other is as it was."""
    run(tmp_path / "own", small_config(steps_by_setting=(("select [1]", 8),)))
    run(tmp_path / "all", small_config(only=("select [1]",), **{"recipe.steps": 8}))
    own, alone, before = (
        read_results(place / "results.csv").drop(columns="lane").set_index("setting")
        for place in (tmp_path / "own", tmp_path / "all", finished[0])
    )
    other = "select [2] perturb {2}"
    assert own.index.unique().tolist() == [other, "select [1]"]
    close = {"rtol": 1e-3, "atol": 1e-3}
    pd.testing.assert_frame_equal(own.loc[["select [1]"]], alone, **close)
    pd.testing.assert_frame_equal(own.loc[[other]], before.loc[[other]], **close)
    steps = pd.read_csv(tmp_path / "own" / "history.csv").groupby("setting").step.max()
    assert steps.to_dict() == {other: 6, "select [1]": 8}


def test_lanes_that_do_not_fit_together_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "bytes_usable", lambda: 1)
    text = run(tmp_path, small_config())
    assert "2 lanes do not fit in memory together: 1 at a time" in text
    assert read_results(tmp_path / "results.csv").lane.unique().tolist() == [0, 1]


def test_report_needs_a_run_directory(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(ValueError, match="is not a run directory"):
            print_summary(path, Console(quiet=True))


def test_report_before_the_first_step(tmp_path):
    claim(tmp_path, small_config(), make_plan(small_config()).lanes)
    console = Console(record=True, width=200, file=io.StringIO())
    print_summary(tmp_path, console)
    assert "0 of 2 lanes scored" in console.export_text()
