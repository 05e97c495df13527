"""Linearity: the study's configs, and its table and figure from made-up scores."""

import json
import shutil

import pandas as pd
import pytest

import lvm
from experiments.configs import default, linearity
from experiments.rundir.results import add_results, read_results
from experiments.studies.linearity import linearity_panels, linearity_table, main, save_linearity
from experiments.sweep.plan import make_plan
from tests.small import small_config


def variant(run, directory, space, noise_law):
    """Returns a copy of a run with another output space and law, and made-up scores of an MLP."""
    shutil.copytree(run, directory)
    content = json.loads((directory / "config.json").read_text())
    content["config"]["recipe"]["output_space"] = space
    (directory / "config.json").write_text(json.dumps(content))
    rows = read_results(directory / "results.csv")
    rows = rows.assign(noise_law=noise_law)
    mlp = rows.assign(probe="mlp", value=rows.value + 0.25)
    add_results(directory / "results.csv", pd.concat([rows, mlp]))
    return directory


@pytest.fixture(scope="module")
def runs(finished, tmp_path_factory):
    """A run with free outputs, and one in the cube with semantics of another law."""
    folder = tmp_path_factory.mktemp("runs")
    return [
        variant(finished[0], folder / "free", "free", "gaussian"),
        variant(finished[0], folder / "cube", "cube", "laplace"),
    ]


def test_every_space_has_all_laws_and_its_size():
    for space, size in (("free", 3), ("sphere", 4), ("cube", 3)):
        plan = make_plan(linearity.get_config(f"siglip,{space}"))
        assert (plan.recipe.objective, plan.recipe.output_space) == ("siglip", space)
        assert {lane.encoding_size for lane in plan.lanes} == {size}
        laws = {(lane.dependence, lane.noise_law) for lane in plan.lanes}
        assert len(laws) == 2 * len(lvm.NOISE_LAWS)


def test_an_unknown_space_is_refused():
    with pytest.raises(ValueError, match="output space is 'ball': allowed is one of free, sphere"):
        linearity.get_config("siglip,ball")


def test_the_table_has_means_over_unbiased_semantics(runs):
    table = linearity_table(runs).set_index(["space", "dependence", "noise_law"])
    rows = read_results(runs[0] / "results.csv")
    kept = rows[(rows.target == "s1") & (rows.metric == "r2") & (rows.probe == "linear")]
    for lane, law in enumerate(["independent", "dependent"]):
        mean = kept[kept.lane == lane].value.mean()
        for index in (("free", law, "gaussian"), ("cube", law, "laplace")):
            assert table.linear[index] == pytest.approx(mean)
            assert table.mlp[index] == pytest.approx(mean + 0.25)
            assert table.gap[index] == pytest.approx(0.25)


def test_the_command_writes_both_files_and_prints_a_path(runs, tmp_path, monkeypatch, capsys):
    table = f"--table={tmp_path / 'new' / 'linearity.csv'}"
    figure = f"--figure={tmp_path / 'new' / 'linearity.png'}"
    monkeypatch.setattr("sys.argv", ["linearity", *map(str, runs), table, figure])
    main()
    assert "linearity.png" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "new" / "linearity.csv")) == 4
    assert (tmp_path / "new" / "linearity.pdf").exists()


def test_the_figure_is_written(runs, tmp_path):
    save_linearity(linearity_table(runs), tmp_path / "linearity.png")
    assert (tmp_path / "linearity.png").read_bytes().startswith(b"\x89PNG")


def test_a_failed_lane_gives_no_mean_and_a_run_given_twice_is_refused(runs, tmp_path):
    shutil.copytree(runs[0], tmp_path / "failed")
    rows = read_results(tmp_path / "failed" / "results.csv")
    add_results(
        tmp_path / "failed" / "results.csv", rows.assign(value=rows.value.mask(rows.lane == 0))
    )
    table = linearity_table([tmp_path / "failed"]).set_index("dependence")
    assert table.linear.isna().to_dict() == {"independent": True, "dependent": False}
    with pytest.raises(ValueError, match="two runs have alignment_max_entropy in space free"):
        linearity_table([runs[0], runs[0]])


def test_panels_have_the_same_rows_if_runs_differ(runs):
    table = linearity_table(runs)
    other = table.objective.where(table.space == "free", "siglip")
    for first, second in linearity_panels(table.assign(objective=other)):
        assert list(first.cells.index) == list(second.cells.index)
        assert first.cells.loc[second.cells.notna().any(axis=1)].isna().all(axis=None)


def test_a_sphere_has_one_more_column_by_default_and_at_least_two():
    plan = make_plan(small_config(**{"recipe.output_space": "sphere"}))
    assert [lane.encoding_size for lane in plan.lanes] == [2, 2]
    alone = (default.setting("s1", encoding_size=1),)
    with pytest.raises(ValueError, match="encoding_size is 1: allowed is 2..3"):
        make_plan(small_config(settings=alone, **{"recipe.output_space": "sphere"}))


def test_a_run_without_one_of_the_probes_is_refused(finished):
    with pytest.raises(ValueError, match="must hold linear and mlp"):
        linearity_table([finished[0]])
