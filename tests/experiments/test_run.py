"""End to end: a run of a few steps, interrupted, resumed, extended and in blocks."""

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
from experiments.sweep.lane_status import CONSTANT
from experiments.sweep.plan import make_plan
from tests.runs import assert_same_tables, run
from tests.small import small_config


def test_a_run_writes_the_files_that_the_readme_lists(finished):
    directory, _ = finished
    names = {path.name for path in directory.iterdir()}
    assert names == {"config.json", "checkpoints", "history.csv", "results.csv", "figures", "lock"}
    assert (directory / "figures" / "r2.png").stat().st_size > 1000


def test_a_run_prints_progress_and_measured_and_attainable_scores(finished):
    _, text = finished
    assert text.startswith("compiling 2 lanes in 1 block ...\n")
    assert "training 100% step 6, loss" in text
    assert " lane-steps/s" in text
    assert "select [2] perturb {2}, dependent semantics, size 1, noise" in text
    assert "attainable" in text


def test_results_are_tidy_and_complete(finished):
    results = pd.read_csv(finished[0] / "results.csv", keep_default_na=False)
    assert list(results.columns) == [
        "lane",
        "seed",
        "world_seed",
        "setting",
        "selected",
        "perturbable",
        "dependence",
        "noise_law",
        "encoding_size",
        "misalignment",
        "noise_probability",
        "learning_rate",
        "temperature",
        "clip_norm",
        "weight_decay",
        "steps",
        "modality",
        "probe",
        "target",
        "metric",
        "environment",
        "value",
        "attainable",
        "attainable_by",
        "status",
    ]
    assert not results.duplicated(["lane", "modality", "probe", "target", "metric"]).any()
    rows = results.groupby("metric").size()
    assert dict(rows) == {
        **{"r2": 24, "partial_r2": 16, "mean_corr": 4, "linear_cka": 4, "count": 2},
        **{"recall_at_1": 4, "recall_at_5": 4, "recall_at_10": 4, "gallery_size": 2},
        **{"modality_gap": 2, "alignment": 2, "uniformity": 4},
    }
    assert set(results.target) == {"s1", "s2", "s3", "m_x", "m_t", "rep", "columns", "pair"}
    numbers = results.set_index("metric")[["value", "attainable"]]
    numbers = numbers.drop(["mean_corr", "linear_cka", "gallery_size", "uniformity"])
    assert (numbers != "").all(axis=None)
    assert set(results.status) == {"ok", CONSTANT}  # few steps


def test_the_history_has_every_lane_at_every_logged_step(finished):
    history = pd.read_csv(finished[0] / "history.csv")
    assert history.groupby("lane").step.apply(list).tolist() == [[2, 4, 6]] * 2
    assert history[["loss", "grad_norm"]].notna().all(axis=None)


def test_a_finished_run_is_not_repeated(finished, monkeypatch):
    directory, _ = finished
    before = {path: path.stat().st_mtime_ns for path in directory.glob("*.*")}
    monkeypatch.setattr(run_module, "_compile", None)
    run(directory, small_config(), report=True)
    assert {path: path.stat().st_mtime_ns for path in directory.glob("*.*")} == before


def test_an_interrupted_run_resumes_to_the_same_results(finished, tmp_path, monkeypatch):
    """The run is killed after the checkpoint of step 4, with a history up to step 6."""
    append = history.append

    def append_or_interrupt(directory, lanes, step, **scores):
        append(directory, lanes, step, **scores)
        if step == 6:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(history, "append", append_or_interrupt)
        run(tmp_path, small_config())
    assert not (tmp_path / "results.csv").exists()
    console = Console(record=True, width=200, file=io.StringIO())
    print_summary(tmp_path, console)
    assert "0 of 2 lanes scored; lanes 0-1 are at step 6 of 6" in console.export_text()

    run(tmp_path, small_config(), programs={})  # compiled anew
    assert_same_tables(tmp_path, finished[0])


def test_a_finished_run_is_extended_and_keeps_its_results(finished, tmp_path):
    directory = tmp_path / "copy"
    shutil.copytree(finished[0], directory)
    extended = small_config(seeds=2)
    run(directory, extended)
    before, after = ((path / "results.csv").read_text() for path in (finished[0], directory))
    assert after.startswith(before)
    checkpoint_path = list_checkpoints(finished[0])[0].path.relative_to(finished[0])
    assert (directory / checkpoint_path).exists()
    at_once = tmp_path / "at_once"
    run(at_once, extended)
    results, expected = (read_results(path / "results.csv") for path in (directory, at_once))
    assert results.lane.unique().tolist() == [0, 1, 2, 3]
    pd.testing.assert_frame_equal(results, expected, rtol=1e-3, atol=1e-3)


def test_blocks_give_the_same_results_as_all_lanes_together(finished, tmp_path):
    run(tmp_path, small_config(lanes_per_block=1))
    assert {saved.lanes for saved in list_checkpoints(tmp_path)} == {range(1), range(1, 2)}
    results, expected = (read_results(path / "results.csv") for path in (tmp_path, finished[0]))
    pd.testing.assert_frame_equal(results, expected, rtol=1e-3, atol=1e-3)


def test_a_setting_with_its_own_number_of_steps_is_trained_for_it(finished, tmp_path):
    """Its results equal those of a run with this number for all settings; others are unchanged."""
    run(tmp_path / "mixed", small_config(steps_by_setting=(("select [1]", 8),)))
    run(tmp_path / "all", small_config(only=("select [1]",), **{"recipe.steps": 8}))
    mixed, alone, before = (
        read_results(path / "results.csv").drop(columns="lane").set_index("setting")
        for path in (tmp_path / "mixed", tmp_path / "all", finished[0])
    )
    other = "select [2] perturb {2}"
    assert mixed.index.unique().tolist() == [other, "select [1]"]
    close = {"rtol": 1e-3, "atol": 1e-3}
    pd.testing.assert_frame_equal(mixed.loc[["select [1]"]], alone, **close)
    pd.testing.assert_frame_equal(mixed.loc[[other]], before.loc[[other]], **close)
    steps = pd.read_csv(tmp_path / "mixed" / "history.csv").groupby("setting").step.max()
    assert steps.to_dict() == {other: 6, "select [1]": 8}


def test_lanes_that_do_not_fit_together_run_one_after_another(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "bytes_usable", lambda: 1)
    text = run(tmp_path, small_config())
    assert "2 lanes do not fit in memory together: 1 at a time" in text
    assert read_results(tmp_path / "results.csv").lane.unique().tolist() == [0, 1]


def test_a_report_of_a_path_without_a_run_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(ValueError, match="is not a run directory"):
            print_summary(path, Console(quiet=True))


def test_a_report_before_the_first_step_has_no_scored_lane(tmp_path):
    claim(tmp_path, small_config(), make_plan(small_config()).lanes)
    console = Console(record=True, width=200, file=io.StringIO())
    print_summary(tmp_path, console)
    assert "0 of 2 lanes scored" in console.export_text()
