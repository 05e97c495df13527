"""The guide is followed as written: its Python, its commands, and what it says they print."""

import contextlib
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.repository import ROOT

GUIDE = ROOT / "docs" / "guide"
BLOCK = re.compile(r"^```(python|bash|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NUMBER = re.compile(r"-?\d+\.?\d*")
TENTH = 0.11  # scores are printed to a tenth


def follow(page, directory):
    """Does what a page says, in a directory; a text block is what the block before it prints."""
    names, printed = {}, ""
    for kind, block in BLOCK.findall((GUIDE / f"{page}.md").read_text()):
        if kind == "text":
            assert_alike(printed, block)
        elif kind == "bash":
            run_command(block, directory)
        elif file := re.match(r"# (\w+\.py)\n", block):
            (directory / file[1]).write_text(block)
        else:
            with contextlib.chdir(directory), contextlib.redirect_stdout(io.StringIO()) as out:
                exec(block, names)
            printed = out.getvalue()


def run_command(block, directory):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-ec", block],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def assert_alike(printed, told):
    """Equal up to spaces, and numbers up to a tenth."""
    words = lambda text: re.sub(r"\s", "", NUMBER.sub("#", text))
    numbers = lambda text: [float(number) for number in NUMBER.findall(text)]
    assert words(printed) == words(told), f"printed:\n{printed}"
    assert numbers(printed) == pytest.approx(numbers(told), abs=TENTH), f"printed:\n{printed}"


@pytest.fixture(scope="module")
def after_first_sweep(tmp_path_factory):
    """The folder of someone who has followed the first page."""
    directory = tmp_path_factory.mktemp("guide")
    follow("first_sweep", directory)
    return directory


def test_the_first_sweep_keeps_what_is_told_truly(after_first_sweep):
    assert (after_first_sweep / "runs" / "first" / "figures" / "r2.png").exists()


@pytest.mark.parametrize("page", ["your_world", "your_objective", "your_probe"])
def test_each_extension_does_what_its_page_says(page, tmp_path):
    follow(page, tmp_path)


def test_its_checkpoint_is_read(after_first_sweep):
    follow("checkpoints", after_first_sweep)
    assert (after_first_sweep / "lane1.npz").exists()


def test_no_page_is_left_out_and_links_lead_somewhere():
    pages = {path.stem: path.read_text() for path in GUIDE.glob("*.md")}
    assert pages.keys() == {
        "first_sweep", "your_world", "your_objective", "your_probe", "checkpoints",
    }  # fmt: skip
    for text in pages.values():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            assert (GUIDE / target).exists(), target


@pytest.mark.parametrize("printed", ["[1.0 0.5]", "[1.0]", "[1.0 0.0] more", "(1.0 0.0)"])
def test_another_output_than_told_fails(printed):
    assert_alike("[[1. -0.]\n [0.1 1.]]", "[[1.0 0.0] [0.0 1.0]]")
    with pytest.raises(AssertionError):
        assert_alike(printed, "[1.0 0.0]")
