"""Runs of Weights & Biases, through a stand-in for its library."""

import sys
import types

import pytest

from experiments import loggers
from experiments.loggers import check_loggers, open_loggers
from experiments.rundir import history


class FakeRun:
    """A run that records the calls."""

    def __init__(self, options):
        self.options, self.logged, self.finished, self.axes = options, [], False, []

    def define_metric(self, name, step_metric):
        self.axes.append((name, step_metric))

    def log(self, values):
        self.logged.append(values)

    def finish(self):
        self.finished = True


@pytest.fixture
def runs(monkeypatch):
    """The runs that are begun with the stand-in."""
    begun = []

    def init(**options):
        begun.append(FakeRun(options))
        return begun[-1]

    library = types.SimpleNamespace(init=init, Settings=lambda **options: options)
    monkeypatch.setitem(sys.modules, "wandb", library)
    monkeypatch.setattr(loggers, "find_spec", lambda name: name == "wandb")
    return begun


def test_every_lane_is_a_run_of_the_group_of_its_sweep(finished, runs):
    directory, _ = finished
    points = history.read(directory)
    with open_loggers(check_loggers(("wandb",)), directory, print) as log:
        assert runs == []  # nothing begins before the first point
        for _, rows in points.groupby("step"):
            log(rows.to_dict("records"))
        assert [run.finished for run in runs] == [False, False]
    assert [run.finished for run in runs] == [True, True]
    assert [run.options["name"] for run in runs] == ["lane 0", "lane 1"]
    first = runs[0].options
    assert (first["project"], first["group"]) == ("misalign", directory.name)
    assert first["config"]["setting"] == "select [1]"
    assert first["config"]["recipe"]["steps"] == 6
    assert runs[0].axes == [("*", "step")]
    assert [values["step"] for values in runs[1].logged] == [2, 4, 6]
    assert runs[1].logged[0]["x/s1"] == points.x_s1[points.lane == 1].iloc[0]


def test_the_environment_gives_the_project(finished, runs, monkeypatch):
    monkeypatch.setenv("WANDB_PROJECT", "mine")
    with open_loggers(["wandb"], finished[0], print) as log:
        log(history.read(finished[0]).to_dict("records")[:1])
    assert runs[0].options["project"] == "mine"
