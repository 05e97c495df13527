"""Loggers of a sweep: by name, of a plugin, and one that fails."""

from contextlib import contextmanager

import pytest

from experiments import loggers
from experiments.loggers import check_loggers, open_loggers, register_logger
from experiments.loggers.metric_names import metrics
from experiments.rundir import history
from tests.commands import misalign
from tests.registries import temporary_registries
from tests.repository import ROOT
from tests.runs import run
from tests.small import small_config

SMALL = f"--config={ROOT / 'tests' / 'small.py'}"
MINE = """
import json
from contextlib import contextmanager

from experiments.loggers import register_logger


@contextmanager
def lines(directory):
    with (directory / "mine.jsonl").open("a") as file:
        yield lambda rows: file.write(json.dumps([row["step"] for row in rows]) + "\\n")


@contextmanager
def broken(directory):
    def log(rows):
        raise ConnectionError("no [network]")

    yield log


register_logger("lines", lines)
register_logger("broken", broken)
"""


def test_loggers_of_a_plugin_get_all_rows_and_one_that_fails_costs_nothing(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(MINE)
    options = ('--config.plugins=("mine",)', '--config.loggers=("broken","lines")')
    finished = misalign("run", SMALL, "--workdir=run", *options, cwd=tmp_path)
    assert finished.status == 0, finished
    message = "logger 'broken' has stopped, the run goes on: ConnectionError (no [network])"
    assert finished.out.splitlines().count(message) == 1
    assert (tmp_path / "run" / "mine.jsonl").read_text() == "[2, 2]\n[4, 4]\n[6, 6]\n"
    scores = (tmp_path / "run" / "results.csv").read_bytes()

    # the loggers are no part of the claim: the run is extended without them, and equals one that
    # never had any
    monkeypatch.chdir(tmp_path)
    with temporary_registries():
        run(tmp_path / "run", small_config(plugins=("mine",), seeds=2))
    assert (tmp_path / "run" / "results.csv").read_bytes().startswith(scores)
    assert len((tmp_path / "run" / "mine.jsonl").read_text().splitlines()) == 3


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("tensorbord",), "loggers holds 'tensorbord': allowed is tensorboard, wandb"),
        ("wandb", r"loggers is 'wandb': allowed is a tuple of names, as \(\"tensorboard\",\)"),
    ],
)
def test_unknown_loggers_are_refused(names, message):
    with pytest.raises(ValueError, match=message):
        check_loggers(names)


def test_a_logger_whose_library_is_missing_names_the_extra(monkeypatch):
    monkeypatch.setattr(loggers, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"which needs tensorboardX: pip install 'misalign\[tens"):
        check_loggers(["tensorboard"])


def test_the_command_refuses_loggers_before_anything_is_written(tmp_path):
    options = ("--workdir=run", '--config.loggers=("mine",)')
    message = "error: loggers holds 'mine': allowed is tensorboard, wandb\n"
    assert misalign("run", SMALL, *options, cwd=tmp_path) == (1, "", message)
    assert not (tmp_path / "run").exists()


def test_errors_of_opening_stop_a_run_and_errors_of_closing_do_not(tmp_path):
    @contextmanager
    def never_opens(directory):
        raise KeyError(directory.name)
        yield

    @contextmanager
    def never_closes(directory):
        yield lambda rows: None
        raise KeyError("closing")

    said = []
    with temporary_registries():
        register_logger("never_opens", never_opens)
        register_logger("never_closes", never_closes)
        with pytest.raises(ValueError, match="logger 'never_opens' cannot be opened: KeyError"):
            open_loggers(["never_opens"], tmp_path, said.append).__enter__()
        with open_loggers(["never_closes"], tmp_path, said.append) as log:
            log([])
    assert said == ["logger 'never_closes' has stopped, the run goes on: KeyError ('closing')"]


@pytest.mark.parametrize(
    ("name", "part", "message"),
    [
        ("wandb", print, "name of the logger is 'wandb': allowed is one that is not taken"),
        ("two words", print, "name of the logger is 'two words': allowed are letters"),
        ("mine", 3, "logger is 3: allowed is a function"),
    ],
)
def test_bad_loggers_are_not_registered(name, part, message):
    with pytest.raises(ValueError, match=message):
        register_logger(name, part)


def test_metrics_are_the_finite_numbers_in_groups(finished):
    row = history.read(finished[0]).to_dict("records")[0] | {"grad_norm": float("nan")}
    assert metrics(row) == {
        "loss": row["loss"],
        **{f"{modality}/{target}": row[f"{modality}_{target}"]
           for modality in "xt" for target in ("s1", "s2", "s3", "m_x", "m_t")},
    }  # fmt: skip
