"""Run directories of format 1 are read, reported, loaded, resumed and extended."""

import json
import shutil

import pandas as pd
import pytest
from rich.console import Console

from experiments.report.tables import aggregate_seeds, summary
from experiments.report.write_report import write_report
from experiments.rundir import history
from experiments.rundir.checkpoint_files import FORMAT
from experiments.rundir.claim import claim, read_lanes
from experiments.rundir.describe import describe_run
from experiments.rundir.lane_identity import HYPERPARAMETERS
from experiments.rundir.older_versions import (
    NEW_RECIPE_FIELDS,
    split_law,
    upgrade_row,
    upgrade_run,
)
from experiments.rundir.results import COLUMNS, read_results
from experiments.sweep.loading import load_lane
from experiments.sweep.plan import make_plan
from tests.runs import assert_same_tables, run
from tests.small import small_config

ADDED = ("world_seed", "noise_law", "misalignment", "attainable_by", *HYPERPARAMETERS)
RENAMED = {"steps_by_setting": "own_steps", "min_encoding_size": "least_encoding_size"}


def downgrade(directory):
    """Rewrites a run of this version in format 1."""
    path = directory / "config.json"
    content = json.loads(path.read_text()) | {"format": 1}
    config = content["config"]
    for new, old in RENAMED.items():
        config[old] = config.pop(new)
    for field in NEW_RECIPE_FIELDS:
        del config["recipe"][field]
    for entry in (*config["settings"], *content["lanes"]):
        del entry["noise_law"]
    del config["world_seed"]
    for lane in content["lanes"]:
        for name in ("world_seed", *HYPERPARAMETERS):
            del lane[name]
    path.write_text(json.dumps(content))
    for table in (directory / "results.csv", directory / "history.csv"):
        if table.exists():
            rows = pd.read_csv(table, dtype=str, keep_default_na=False)
            rows.drop(columns=[*ADDED], errors="ignore").to_csv(table, index=False)


@pytest.fixture
def old(finished, tmp_path):
    """A finished run of format 1."""
    shutil.copytree(finished[0], tmp_path / "old")
    downgrade(tmp_path / "old")
    return tmp_path / "old"


def test_an_old_run_is_read_as_a_new_one(old, finished):
    results = read_results(finished[0] / "results.csv")
    by = results.attainable_by.where(results.attainable_by == "none", "probe")
    pd.testing.assert_frame_equal(
        read_results(old / "results.csv"), results.assign(attainable_by=by)
    )
    pd.testing.assert_frame_equal(history.read(old), history.read(finished[0]))
    assert read_lanes(old) == read_lanes(finished[0])
    assert describe_run(old)["lanes"] == describe_run(finished[0])["lanes"]
    assert load_lane(old, 1).identity == load_lane(finished[0], 1).identity


def test_results_without_a_config_have_no_hyperparameters(old, finished):
    (old / "config.json").unlink()
    results = read_results(old / "results.csv")
    assert results[[*HYPERPARAMETERS]].isna().all(axis=None)
    cells = [aggregate_seeds(rows) for rows in (results, read_results(finished[0] / "results.csv"))]
    pd.testing.assert_frame_equal(*cells)
    assert summary(cells[0]) == summary(cells[1])


def test_old_lanes_have_the_steps_of_their_setting(old):
    path = old / "config.json"
    content = json.loads(path.read_text())
    content["config"]["own_steps"] = [["select [1]", 9]]
    path.write_text(json.dumps(content))
    assert [lane.steps for lane in read_lanes(old)] == [9, 6]
    results = read_results(old / "results.csv")
    assert results.groupby("lane").steps.unique().map(list).tolist() == [[9], [6]]


@pytest.mark.slow
def test_an_old_run_is_reported(old):
    write_report(old, Console(quiet=True))
    assert (old / "report.html").exists()


def test_an_old_run_resumes_to_the_same_tables(old, finished):
    results = (old / "results.csv").read_bytes()
    (old / "results.csv").unlink()
    run(old, small_config())
    assert_same_tables(old, finished[0])
    assert json.loads((old / "config.json").read_text())["format"] == FORMAT
    assert results != (old / "results.csv").read_bytes()


def test_an_old_run_is_extended(old):
    config = small_config(seeds=2)
    lanes = make_plan(config).lanes
    claim(old, config, lanes)
    assert set(read_lanes(old)) == set(lanes)
    assert list(pd.read_csv(old / "results.csv")) == list(COLUMNS)


def test_another_config_is_refused_in_the_words_of_this_version(old):
    config = small_config(min_encoding_size=2)
    with pytest.raises(ValueError, match="min_encoding_size: 1 in the run, 2 here"):
        claim(old, config, make_plan(config).lanes)
    assert json.loads((old / "config.json").read_text())["format"] == 1


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("dependent", ("dependent", "gaussian")),
        ("dependent_laplace", ("dependent", "laplace")),
        ("nonlinear_scm_heavy_tailed", ("nonlinear_scm", "heavy_tailed")),
        ("natural", ("natural", "natural")),
    ],
)
def test_dependence_and_noise_law_are_separated(name, law):
    assert split_law(name) == law


@pytest.mark.parametrize(
    ("setting", "name", "kind"),
    [
        ("perturb [2] omitted_by_itself_marked", "perturb [2] mnar_indicator", "mnar_indicator"),
        ("select [3] perturb {2} omitted", "select [3] perturb {2} mcar", "mcar"),
        ("perturb [2] strength", "perturb [2] strength", "strength"),
        ("perturb [2]", "perturb [2]", "noise"),
    ],
)
def test_the_misalignment_in_a_setting_becomes_a_column(setting, name, kind):
    row = {"setting": setting, "dependence": "independent", "noise_probability": 0.5, "value": 1}
    assert list(upgrade_row(row).items()) == [
        ("setting", name),
        ("dependence", "independent"),
        ("noise_law", "gaussian"),
        ("misalignment", kind),
        ("noise_probability", 0.5),
        *((name, "") for name in HYPERPARAMETERS),  # without the config of the run
        ("value", 1),
    ]


def test_names_of_settings_are_renamed_in_the_config():
    setting = {"dependence": "dependent_uniform", "misalignment": "omitted_by_another"}
    content = {
        "format": 1,
        "config": {
            "settings": [setting],
            "world": {"may_agree": True},
            "only": ["perturb [2] omitted"],
            "own_steps": [["perturb [2] omitted", 9]],
        },
        "lanes": [],
    }
    config = upgrade_run(content)["config"]
    assert config["settings"] == [
        {"dependence": "dependent", "noise_law": "uniform", "misalignment": "mar"}
    ]
    assert config["world"] == {"may_equal_truth": True}
    assert config["only"] == ["perturb [2] mcar"]
    assert config["steps_by_setting"] == [["perturb [2] mcar", 9]]
