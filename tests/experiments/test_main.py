"""The command `misalign`, and configs that are given by name."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

import experiments
import lvm
import mmcl
import probes
from experiments import __main__ as program
from experiments.runtime.command_line import SHIPPED, config_path
from tests.repository import ROOT

MISALIGN = Path(sys.executable).parent / "misalign"


def misalign(*arguments, cwd):
    """Runs the installed command in a folder; returns its exit code and its output."""
    done = subprocess.run(
        [MISALIGN, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )
    return done.returncode, done.stdout + done.stderr


def test_without_a_command_all_are_listed_with_one_line_each(tmp_path):
    code, text = misalign(cwd=tmp_path)
    assert code == 0
    for command in program.COMMANDS:
        (line,) = [line for line in text.splitlines() if line.split()[:1] == [command]]
        assert len(line.split()) > 4
        assert len(line) <= 110


def test_every_module_with_a_command_line_is_a_command():
    names = {path.stem for path in (ROOT / "experiments").glob("*.py")}
    names |= {path.parent.name for path in (ROOT / "experiments").glob("*/__main__.py")}
    studies = ROOT / "experiments" / "studies"
    names |= {f"studies.{path.stem}" for path in studies.glob("*.py")}
    names |= {f"studies.{path.parent.name}" for path in studies.glob("*/__main__.py")}
    assert set(program.COMMANDS) == names - {"__init__", "__main__", "studies.__init__"}


def test_an_unknown_command_names_the_nearest(tmp_path):
    assert misalign("inspekt", cwd=tmp_path) == (
        1,
        "error: unknown command 'inspekt': nearest is 'inspect'\n",
    )


def test_every_package_has_the_version_of_the_command(tmp_path):
    assert misalign("--version", cwd=tmp_path) == (0, f"misalign {version('misalign')}\n")
    for package in (lvm, mmcl, probes, experiments):
        assert package.__version__ == version("misalign")


def test_a_package_of_the_user_named_experiments_is_not_imported(tmp_path):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "__init__.py").write_text("raise RuntimeError('imported')")
    code, text = misalign("inspect", str(tmp_path), cwd=tmp_path)
    assert (code, text) == (
        1,
        f"error: {tmp_path} is not a run directory: it holds no config.json\n",
    )


def test_a_shipped_config_runs_by_its_name_from_any_folder(tmp_path):
    code, text = misalign("run", "quickstart", "--config.recipe.steps=0", cwd=tmp_path)
    assert (code, text) == (1, "error: recipe.steps is 0: allowed is 1 or more\n")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("argument", "path"),
    [
        ("quickstart", f"{SHIPPED / 'quickstart'}.py"),
        ("selection:paper", f"{SHIPPED / 'selection'}.py:paper"),
        ("linearity:siglip,cube", f"{SHIPPED / 'linearity'}.py:siglip,cube"),
        ("folder/mine.py:fast", "folder/mine.py:fast"),
    ],
)
def test_a_config_is_given_by_name_or_file(argument, path):
    assert config_path(argument) == path


@pytest.mark.parametrize("name", ["selektion", "default", "recipes"])
def test_an_unknown_config_names_the_nearest(name):
    with pytest.raises(ValueError, match=f"config is '{name}': allowed .* nearest is '"):
        config_path(name)
