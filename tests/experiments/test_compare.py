"""Compare: runs side by side, from made-up results."""

import shutil

import pytest

from experiments.compare import compare, save_comparison
from experiments.rundir.results import add_results, read_results
from experiments.sweep.plan import make_plan
from tests.small import small_config


@pytest.fixture(scope="module")
def runs(finished, tmp_path_factory):
    """A run, and a copy of it whose scores are all 0.1 higher."""
    other = tmp_path_factory.mktemp("runs") / "other"
    shutil.copytree(finished[0], other)
    rows = read_results(other / "results.csv")
    add_results(other / "results.csv", rows.assign(value=rows.value + 0.1))
    return finished[0], other


def test_each_setting_has_its_worst_scores_in_each_run(runs):
    table = compare(runs)
    labels = [lane.setting for lane in make_plan(small_config()).lanes]
    assert list(table.label) == [f"{labels[0]}, independent", f"{labels[1]}, dependent"] * 2
    first, second = (table[table.run == run.name].set_index("label") for run in runs)
    for name in ("least kept", "most leaked"):
        assert (second[name] - first[name]).tolist() == pytest.approx([0.1, 0.1])
    rows = read_results(runs[0] / "results.csv")
    rows = rows[(rows.lane == 0) & (rows.metric == "r2") & rows.target.isin(["s1", "s2", "s3"])]
    kept = rows.target == "s1"
    assert first["least kept"].iloc[0] == pytest.approx(rows.value[kept].min())
    excess = (rows.value - rows.attainable)[~kept]
    assert first["most leaked"].iloc[0] == pytest.approx(excess.max())


def test_the_figure_is_written(runs, tmp_path):
    save_comparison(compare(runs), tmp_path / "compared.png")
    assert (tmp_path / "compared.png").read_bytes().startswith(b"\x89PNG")


def test_a_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not a run directory"):
        compare([tmp_path])


def test_two_runs_of_one_name_are_distinguished_by_their_folders(runs, tmp_path):
    name = runs[0].name
    twin = shutil.copytree(runs[1], tmp_path / "twin" / name)
    table = compare([runs[0], twin])
    assert list(table.run.unique()) == [f"{runs[0].parent.name}/{name}", f"twin/{name}"]
    save_comparison(table, tmp_path / "compared.png")


def test_a_run_given_twice_is_refused(runs):
    with pytest.raises(ValueError, match="given twice"):
        compare([runs[0], runs[1], runs[0]])
