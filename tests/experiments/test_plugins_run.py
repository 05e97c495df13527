"""A user's plugin with one part of each kind: run, stopped, resumed, extended, reported, loaded."""

import io
import json
import shutil

import jax
import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import lvm
import mmcl
from experiments.best import best
from experiments.compare import compare
from experiments.configs import default
from experiments.report import write_report
from experiments.rundir import history
from experiments.rundir.claim import check_claim
from experiments.rundir.describe import describe_run
from experiments.runtime.plugins import CHANGED, MISSING, UNCHANGED
from experiments.sweep.loading import encode, load_lane
from experiments.sweep.plan import make_plan
from tests.commands import misalign
from tests.registries import copy_example, example_config, temporary_registries
from tests.repository import ROOT
from tests.runs import assert_same_tables, run
from tests.small import small_config


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with the example plugin."""
    copy_example(tmp_path)
    monkeypatch.chdir(tmp_path)
    with temporary_registries():
        yield tmp_path


@pytest.fixture(scope="module")
def programs():
    """Compiled sweeps of runs with the parts of the example plugin alone."""
    return {}


@pytest.fixture(scope="module")
def ran(programs, tmp_path_factory):
    """A folder with the example plugin, and a finished run of all its parts."""
    folder = tmp_path_factory.mktemp("plugin")
    copy_example(folder)
    with pytest.MonkeyPatch.context() as patch, temporary_registries():
        patch.chdir(folder)
        run(folder / "runs" / "mine", example_config(), programs=programs)
    return folder


@pytest.fixture
def copied(ran, tmp_path, monkeypatch):
    """A copy of this folder, which is the current one."""
    shutil.copytree(ran, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    with temporary_registries():
        yield tmp_path / "copy"


def test_the_run_has_scores_of_all_parts(ran):
    results = pd.read_csv(ran / "runs" / "mine" / "results.csv", keep_default_na=False)
    assert set(results.probe) == {"linear", "neighbours", "none"}
    mine = results[results.setting == "select [2] perturb {2} rounded"]
    assert set(mine.dependence) == {"chain"}
    assert set(mine.noise_law) == {"logistic"}
    by = mine[(mine.target == "s2") & (mine.metric == "r2")].attainable_by
    assert set(by) == {"boosting"}  # a law whose conditional means are not known


def test_a_run_that_is_stopped_resumes_to_the_same_results(ran, programs, folder, monkeypatch):
    append = history.append

    def append_or_interrupt(directory, lanes, step, **scores):
        append(directory, lanes, step, **scores)
        if step == 6:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(history, "append", append_or_interrupt)
        run(folder / "mine", example_config(), programs=programs)
    assert not (folder / "mine" / "results.csv").exists()
    run(folder / "mine", example_config())  # compiled anew
    assert_same_tables(folder / "mine", ran / "runs" / "mine")


def test_the_run_is_reported_compared_and_loaded(copied, monkeypatch):
    directory = copied / "runs" / "mine"
    # drawn by the page of own parts
    monkeypatch.setattr(write_report, "save_figures", lambda *args: {})
    write_report.write_report(directory, Console(file=io.StringIO()))
    assert (directory / "report.html").exists()
    assert len(compare([directory])) == len(best(directory, "least_kept")) == 2
    lane = load_lane(directory, 1)
    assert lane.identity.misalignment == "rounded"
    assert lane.recipe.objective == "soft_repulsion"
    pairs = lvm.sample_pairs(jax.random.key(0), lane.world, lane.bias, 50)
    z = encode(lane, mmcl.Modalities(pairs.x, pairs.t))
    norms = np.linalg.norm(z.x, axis=1)
    assert (norms > 0).all() and (norms < 1).all()  # the open ball


def test_lanes_do_not_depend_on_the_order_of_plugins_which_may_be_added(folder):
    (folder / "other.py").write_text(
        "from lvm.registry import register_noise_law\n"
        "register_noise_law('other', lambda normal: -normal)\n"
    )
    before, after = ("example_parts",), ("other", "example_parts")
    setting = default.setting("s1 s2", noise_law="logistic")
    config = lambda plugins, seeds: small_config(plugins=plugins, settings=(setting,), seeds=seeds)
    programs = {}  # of the later order
    with temporary_registries():  # forgets `example_parts`, so that `other` is imported first
        run(folder / "mine", config(before, 2))
    text = (folder / "mine" / "results.csv").read_text()
    run(folder / "both", config(after, 2), programs=programs)
    assert_same_tables(folder / "mine", folder / "both")
    run(folder / "mine", config(after, 4), programs=programs)
    assert (folder / "mine" / "results.csv").read_text().startswith(text)
    content = json.loads((folder / "mine" / "config.json").read_text())
    assert content["plugins"].keys() == set(after)
    assert load_lane(folder / "mine", 3).identity.noise_law == "logistic"


def test_a_plugin_that_changed_is_refused_by_a_run_and_read_with_one_warning(copied, capsys):
    directory = copied / "runs" / "mine"
    assert describe_run(directory)["plugins"] == {"example_parts": UNCHANGED}
    with (copied / "example_parts.py").open("a") as file:
        file.write("# changed\n")
    lanes = make_plan(example_config()).lanes
    with pytest.raises(ValueError, match=f"plugin 'example_parts', which has {CHANGED}") as error:
        check_claim(directory, example_config(), lanes)
    assert "\n" not in str(error.value)
    load_lane(directory, 0)
    load_lane(directory, 1)
    warnings = capsys.readouterr().err.splitlines()
    assert warnings == [f"warning: plugin 'example_parts' has {CHANGED} in {directory}"]
    assert describe_run(directory)["plugins"] == {"example_parts": CHANGED}


def test_a_run_needs_its_plugins_in_the_config(copied):
    config = example_config()
    lanes = make_plan(config).lanes
    config.plugins = ()
    with pytest.raises(ValueError, match="plugin 'example_parts', which is not in config.plugins"):
        check_claim(copied / "runs" / "mine", config, lanes)


def test_without_the_plugin_commands_fail_with_one_line_that_names_it(copied):
    (copied / "example_parts.py").unlink()
    directory = copied / "runs" / "mine"
    status, out, error = misalign("report", directory, cwd=copied)
    assert (status, out, error.count("\n")) == (1, "", 1)
    assert error.startswith("error: plugins holds 'example_parts': allowed is a module on")
    for read in (lambda: load_lane(directory, 0), lambda: compare([directory])):
        with pytest.raises(ValueError, match="plugins holds 'example_parts'"):
            read()
    assert describe_run(directory)["plugins"] == {"example_parts": MISSING}


def test_a_wrong_part_ends_a_run_with_one_line_before_anything_is_written(folder):
    (folder / "wrong.py").write_text(
        "from mmcl.registry import register_objective\n"
        "register_objective('by_pair', lambda z, temperature: ((z.x - z.t) ** 2).sum(1))\n"
    )
    options = ('--config.plugins=("wrong",)', "--config.recipe.objective=by_pair")
    small = ROOT / "tests" / "small.py"
    finished = misalign("run", f"--config={small}", *options, cwd=folder)
    message = "error: objective 'by_pair' returns float32 [8]: allowed is float32 []\n"
    assert finished == (1, "", message)
    assert not (folder / "runs").exists()
