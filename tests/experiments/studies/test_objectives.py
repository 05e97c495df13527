"""Objectives: runs of two of them side by side, from made-up results."""

import json
import shutil

import pandas as pd
import pytest

from experiments.compare import compare, save_comparison
from experiments.rundir.results import read_results
from experiments.studies.objectives import objectives_table


@pytest.fixture(scope="module")
def runs(finished, tmp_path_factory):
    """A run, and a copy of it whose config has another objective."""
    other = tmp_path_factory.mktemp("runs") / "other"
    shutil.copytree(finished[0], other)
    content = json.loads((other / "config.json").read_text())
    content["config"]["recipe"]["objective"] = "siglip"
    (other / "config.json").write_text(json.dumps(content))
    return finished[0], other


def test_each_objective_has_its_scores_in_each_setting_and_a_cost(runs):
    table = objectives_table(runs)
    assert list(table.run) == ["alignment_max_entropy"] * 2 + ["siglip"] * 2
    scores = ["label", "least kept", "most leaked", "least reverse"]
    pd.testing.assert_frame_equal(table[scores], compare(runs)[scores])
    assert (table["ms a batch"] > 0).all()


def test_least_reverse_is_the_worse_of_both_modalities(runs):
    rows = read_results(runs[0] / "results.csv")
    reverse = rows[(rows.lane == 0) & (rows.target == "rep") & (rows.metric == "r2")]
    assert len(reverse) == 2
    assert compare(runs)["least reverse"].iloc[0] == pytest.approx(reverse.value.min())


def test_the_figure_is_written(runs, tmp_path):
    save_comparison(objectives_table(runs), tmp_path / "objectives.png")
    assert (tmp_path / "objectives.png").read_bytes().startswith(b"\x89PNG")


def test_two_runs_of_one_objective_are_refused(runs):
    with pytest.raises(ValueError, match="have the objective alignment_max_entropy: give one"):
        objectives_table([runs[0], runs[0]])
