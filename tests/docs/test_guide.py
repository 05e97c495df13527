"""Runs the guide as written: its Python code, its commands, and the output that it shows."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.commands import misalign
from tests.registries import copy_example, temporary_registries
from tests.repository import ROOT

GUIDE = ROOT / "docs" / "guide"
BLOCK = re.compile(r"^```(python|bash|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+\.?\d*")
TENTH = 0.11  # scores are printed to a tenth


def follow(page, directory, smaller=()):
    """Runs the code of a page in a directory; a text block is the output of the block before it.

    smaller: (text, replacement) of sizes in the page; the output is then not compared.
    """
    names, printed = {}, ""
    text = (GUIDE / f"{page}.md").read_text()
    for old, new in smaller:
        assert old in text, old
        text = text.replace(old, new)
    for kind, block in BLOCK.findall(text):
        if kind == "text":
            if not smaller:
                assert_alike(printed, block)
        elif kind == "bash":
            run_commands(block, directory)
        elif file := re.match(r"# (\w+\.py)\n", block):
            (directory / file[1]).write_text(block)
        else:
            with contextlib.chdir(directory), contextlib.redirect_stdout(io.StringIO()) as out:
                exec(block, names)
            printed = out.getvalue()


COMMAND = re.compile(r"(?:python -m experiments\.|misalign )(.+)")


def run_commands(block, directory):
    """Runs the lines of a block, each of which is a command of the project or a script."""
    for line in block.splitlines():
        if command := COMMAND.fullmatch(line):
            finished = misalign(*shlex.split(command[1]), cwd=directory)
            assert finished.status == 0, finished
        else:
            assert line.startswith("python "), line
            environment = os.environ | {"PYTHONPATH": str(ROOT)}
            command = [sys.executable, *line.split()[1:]]
            subprocess.run(command, check=True, cwd=directory, env=environment)


def assert_alike(printed, expected):
    """Asserts that two texts are equal up to spaces, and their numbers up to a tenth."""
    words = lambda text: re.sub(r"\s", "", NUMBER.sub("#", text))
    numbers = lambda text: [float(number) for number in NUMBER.findall(text)]
    assert words(printed) == words(expected), f"printed:\n{printed}"
    assert numbers(printed) == pytest.approx(numbers(expected), abs=TENTH), f"printed:\n{printed}"


@pytest.fixture(scope="module")
def after_first_sweep(tmp_path_factory):
    """The folder after all commands of the first page."""
    directory = tmp_path_factory.mktemp("guide")
    follow("first_sweep", directory)
    return directory


def test_the_first_page_runs_and_draws_its_figure(after_first_sweep):
    assert (after_first_sweep / "runs" / "first" / "figures" / "r2.png").exists()


@pytest.mark.parametrize("page", ["your_world", "your_objective", "your_probe"])
def test_the_code_of_each_extension_page_runs_as_shown(page, tmp_path):
    follow(page, tmp_path)


def test_the_page_of_own_parts_runs_with_the_example_plugin(tmp_path, monkeypatch):
    copy_example(tmp_path)
    monkeypatch.chdir(tmp_path)  # where modules of the page are imported from
    monkeypatch.syspath_prepend(tmp_path)
    with temporary_registries():
        follow("own_parts", tmp_path)
    assert (tmp_path / "runs" / "study" / "report.html").exists()


def test_the_page_of_checkpoints_runs_and_exports_a_lane(after_first_sweep):
    follow("checkpoints", after_first_sweep)
    assert (after_first_sweep / "lane1.npz").exists()


SMALLER = (
    ('"mlp"', '"linear"'),
    ("count, side = 2000, 64", "count, side = 120, 16"),
    ("(16, 48,", "(4, 12,"),
    ("5 + 4 *", "1 + 1 *"),
    ("        channels=1,", "        channels=1, height=16, width=16,"),
    (
        "config.recipe.steps = 400",
        "config.recipe.update(steps=4, widths=(8, 8), text_widths=(8,), batch=16, group=16)",
    ),
)


def test_the_page_of_own_images_runs_from_files_to_figures(tmp_path):
    follow("own_images", tmp_path, SMALLER)
    figures = {path.name for path in (tmp_path / "runs" / "own" / "figures").glob("*.png")}
    assert {"matthews.png", "captions.png", "neighbours.png"} <= figures
    assert (tmp_path / "runs" / "own_captions" / "results.csv").exists()


@pytest.mark.slow
def test_the_page_of_own_images_prints_its_scores(tmp_path):
    follow("own_images", tmp_path)


def test_all_pages_are_tested_and_their_links_exist():
    pages = {path.stem: path.read_text() for path in GUIDE.glob("*.md")}
    assert pages.keys() == {
        "first_sweep", "your_world", "your_objective", "your_probe", "own_parts", "own_images",
        "checkpoints",
    }  # fmt: skip
    for text in pages.values():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert "://" in target or (GUIDE / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("printed", ["[1.0 0.5]", "[1.0]", "[1.0 0.0] more", "(1.0 0.0)"])
def test_output_that_differs_from_the_page_fails(printed):
    assert_alike("[[1. -0.]\n [0.1 1.]]", "[[1.0 0.0] [0.0 1.0]]")
    with pytest.raises(AssertionError):
        assert_alike(printed, "[1.0 0.0]")
