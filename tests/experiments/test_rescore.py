"""A finished run that is scored again, or trained further, equals one run from the start."""

import io
import json
import shutil

import pytest
from rich.console import Console

from experiments import rescore as rescore_module
from experiments import run as run_module
from experiments.rescore import main, parse_changes, rescore
from experiments.rundir.claim import claim
from experiments.runtime.signals import Stopped
from experiments.sweep.plan import lanes_of
from tests.runs import assert_same_tables, run
from tests.small import small_config

QUIET = Console(file=io.StringIO())
CHANGES = {"fit": 48, "probes": ["linear", "kernel"]}
IN_CONFIG = {"evaluation.fit": 48, "evaluation.probes": ("linear", "kernel")}
CONTINUABLE = {"recipe.decay": False, "recipe.warmup": 2}


@pytest.fixture
def copy(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "copy")
    return tmp_path / "copy"


def content(directory):
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != "lock"
    }


def test_a_run_that_is_scored_again_equals_one_with_that_evaluation(copy, tmp_path):
    rescore(copy, CHANGES, QUIET)
    run(tmp_path / "once", small_config(**IN_CONFIG))
    assert_same_tables(copy, tmp_path / "once")
    assert (copy / "config.json").read_bytes() == (tmp_path / "once" / "config.json").read_bytes()
    before = content(copy)
    run(copy, small_config(**IN_CONFIG))  # there is nothing left to do
    assert content(copy) == before


def test_a_refused_or_interrupted_evaluation_leaves_the_old_scores(copy, monkeypatch):
    before = content(copy)
    with pytest.raises(ValueError, match="evaluation.fit is 1: allowed is 2 or more"):
        rescore(copy, {"fit": 1}, QUIET)
    with pytest.raises(ValueError, match="evaluation.probes holds 'lin': allowed is linear, mlp"):
        rescore(copy, {"probes": ["lin"]}, QUIET)

    def stop(task):
        raise Stopped("all steps")

    monkeypatch.setattr(run_module, "run_block", stop)
    with pytest.raises(Stopped):
        rescore(copy, CHANGES, QUIET)
    assert content(copy) == before


def test_a_run_with_steps_left_is_refused(tmp_path):
    claim(tmp_path, small_config(), lanes_of(small_config()))
    with pytest.raises(ValueError, match="has done 0 of 6 steps: let the run end"):
        rescore(tmp_path, CHANGES, QUIET)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("--evaluation.fit", "argument is '--evaluation.fit': allowed is --evaluation.FIELD=VALUE"),
        ("--recipe.steps=9", "argument is '--recipe.steps=9': allowed is --evaluation.FIELD=VALUE"),
        ("--evaluation.size=9", "with one of the fields probes, fit, test, downstream, shifted"),
        ("--evaluation.fit=9.5", "evaluation.fit is 9.5: allowed is an integer"),
        ("--evaluation.fit=many", "evaluation.fit is many: allowed is an integer"),
        ("--evaluation.downstream=1", "evaluation.downstream is 1: allowed is True or False"),
        ("--evaluation.probes=mlp", "evaluation.probes is mlp: allowed is a tuple"),
    ],
)
def test_bad_arguments_are_refused(argument, message):
    evaluation = json.loads(small_config().to_json())["evaluation"]
    with pytest.raises(ValueError, match=message):
        parse_changes([argument], evaluation)


def test_arguments_have_the_types_of_their_fields():
    evaluation = json.loads(small_config().to_json())["evaluation"]
    arguments = ["--evaluation.probes=('mlp','linear')", "--evaluation.downstream=True"]
    arguments += ["--evaluation.shifted=s1 s2", "--evaluation.test=7"]
    assert parse_changes(arguments, evaluation) == {
        "probes": ["mlp", "linear"], "downstream": True, "shifted": "s1 s2", "test": 7,
    }  # fmt: skip


def test_the_command_line(copy, monkeypatch, capsys):
    called = []
    monkeypatch.setattr(rescore_module, "rescore", lambda *args: called.append(args[:2]))
    for name in ("fix_numeric_settings", "use_every_core", "enable_compilation_cache"):
        monkeypatch.setattr(rescore_module, name, lambda: None)
    main([str(copy), "--evaluation.fit=48"])
    assert called == [(copy, {"fit": 48})]
    with pytest.raises(SystemExit, match="error: no change: give --evaluation.FIELD=VALUE"):
        main([str(copy)])
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "usage: misalign rescore DIRECTORY" in capsys.readouterr().out


def test_a_run_with_more_steps_equals_one_with_them_from_the_start(tmp_path):
    run(tmp_path / "parts", small_config(**CONTINUABLE))
    config = small_config(seeds=2, **CONTINUABLE, **{"recipe.steps": 9})
    assert "resuming from checkpoint" in run(tmp_path / "parts", config)
    run(tmp_path / "once", config)
    names = ("results.csv", "history.csv")
    parts, once = (
        [sorted((tmp_path / part / name).read_text().splitlines()) for name in names]
        for part in ("parts", "once")
    )
    assert parts == once


def test_more_steps_than_the_schedule_allows_are_refused_in_one_line(copy):
    before = content(copy)
    config = small_config(**{"recipe.steps": 9})
    message = (
        "undo the difference recipe.steps: 6 in the run, 9 here .more steps need recipe.decay=False"
    )
    with pytest.raises(ValueError, match=message) as error:
        run(copy, config)
    assert "\n" not in str(error.value)
    assert content(copy) == before


def test_another_evaluation_of_a_run_names_the_command(copy):
    with pytest.raises(ValueError, match="fit: 64 in the run, 48 here .`misalign rescore` scores"):
        run(copy, small_config(**{"evaluation.fit": 48}))
