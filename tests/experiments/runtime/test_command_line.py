"""The command line: bad input gives an error message, a request to stop saves a checkpoint."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from absl.testing import flagsaver

from experiments import run as run_module
from experiments.rundir.checkpoint_files import list_checkpoints
from experiments.rundir.claim import claim
from experiments.rundir.results import read_results
from experiments.runtime.command_line import parse_flags
from experiments.sweep.plan import make_plan
from tests.commands import misalign
from tests.repository import ROOT
from tests.small import small_config


def test_a_request_to_stop_saves_and_prints_how_to_resume(tmp_path):
    arguments = ("--config=tests/small.py", f"--workdir={tmp_path / 'run'}")
    command_line = [sys.executable, "-m", "experiments.run", *arguments]
    long = "--config.recipe.steps=1000000"
    streams = {"stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command_line, long], cwd=ROOT, **streams) as process:
        while not (tmp_path / "run" / "history.csv").exists():
            time.sleep(0.1)
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    done = list_checkpoints(tmp_path / "run")[0].step
    assert f"stopped after {done} of 1000000 steps; the same command resumes there" in text


AMBIENT = {
    "JAX_DEFAULT_PRNG_IMPL": "rbg",
    "JAX_ENABLE_X64": "1",
    "JAX_DEFAULT_MATMUL_PRECISION": "bfloat16",
    "JAX_NUMPY_DTYPE_PROMOTION": "strict",
    "JAX_RANDOM_SEED_OFFSET": "3",
    "JAX_THREEFRY_PARTITIONABLE": "0",
}


def test_settings_of_jax_in_the_environment_change_no_result(finished, tmp_path, monkeypatch):
    for name, value in AMBIENT.items():
        monkeypatch.setenv(name, value)
    arguments = ("--config=tests/small.py", f"--workdir={tmp_path / 'run'}")
    command = [sys.executable, "-m", "experiments.run", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)
    results, expected = (
        read_results(directory / "results.csv") for directory in (tmp_path / "run", finished[0])
    )
    np.testing.assert_allclose(results.value, expected.value, atol=1e-3)  # other devices round


QUICKSTART = "--config=experiments/configs/quickstart.py"


@pytest.mark.filterwarnings("ignore:the load_module")  # of ml_collections
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((QUICKSTART, "--config.recipe.step=5"), "'step' Did you mean \"steps\""),
        (
            (QUICKSTART + ":papr",),
            "recipe is 'papr': allowed is one of fast, adaptive, paper, patches, scenes",
        ),
        ((QUICKSTART, "--config.recipe.batch=1"), "recipe.batch is 1: allowed is 2 or more"),
        ((QUICKSTART, "--config.recipe.batch=many"), "--config.recipe.batch=many: invalid"),
        (
            (QUICKSTART, "--config.recipe.widths=(16.5,16)"),
            "error: recipe.widths is (16.5, 16): allowed is a tuple of integers\n",
        ),
        (
            (QUICKSTART, "--config.settings=3"),
            "error: settings[0] is 3: allowed is a setting, as `default.setting` returns it\n",
        ),
        ((QUICKSTART, "--config.settings[0].selected=s11"), "settings[0].selected holds 's11'"),
        ((QUICKSTART, "--config.settings[9].selected=s1"), "index out of range"),
        (
            (QUICKSTART, "--config.domain.path=cards.zip"),
            "error: domain is 'latents', without field path: allowed is --config.domain=VALUE\n",
        ),
        (
            (QUICKSTART, "--config.recipe.steps.most=3"),
            "recipe.steps is 6000, without field most: allowed is --config.recipe.steps=VALUE",
        ),
        ((QUICKSTART, "--config.nope.path=3"), "error: unknown config field 'nope'"),
        (("--config=nope.py", "--config.seeds=2"), "No such file or directory: 'nope.py'"),
        ((QUICKSTART, "--workdr=here"), "Did you mean: workdir"),
        (("--config=experiments/configs/nope.py",), "No such file or directory"),
    ],
)
def test_a_bad_command_ends_with_an_error_message_before_any_work(
    arguments, message, tmp_path, monkeypatch, unchecked_types
):
    monkeypatch.chdir(ROOT)
    argv = ["run", *arguments, f"--workdir={tmp_path / 'run'}"]
    monkeypatch.setattr(sys, "argv", argv)  # which config flags read
    with flagsaver.flagsaver(), pytest.raises(SystemExit) as ended:
        run_module.main(parse_flags(argv))
    text = f"{ended.value.code}\n"
    assert message in text
    assert text.startswith("error: ")
    assert "Traceback" not in text
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((QUICKSTART, "--config.recipe.batch=1"), "error: recipe.batch is 1: allowed is 2 or more"),
        ((), "error: flag --config=None: Flag --config must have a value other than None."),
    ],
)
def test_a_bad_command_has_status_1_and_prints_its_error_alone(arguments, message, tmp_path):
    directory = tmp_path / "run"
    finished = misalign("run", *arguments, f"--workdir={directory}")
    assert finished == (1, "", f"{message}\n")
    assert not directory.exists()


def test_a_directory_of_another_run_is_refused_before_data_are_read(tmp_path):
    claim(tmp_path, small_config(), make_plan(small_config()).lanes)
    finished = misalign(
        "run",
        "--config=experiments/configs/scenes_small.py",
        "--config.world.images=20",
        f"--workdir={tmp_path}",
    )
    assert finished.status == 1
    assert finished.err.startswith(f"error: workdir {tmp_path} holds a run with another config")
