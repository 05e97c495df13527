"""The README and the pages beside it: their Python runs, their links and commands exist."""

import contextlib
import io
import re
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from experiments.sweep.plan import make_plan
from experiments.zero_shot import __main__ as zero_shot
from tests.docs.test_guide import assert_alike
from tests.lvm.datasets.test_cards import deck, write_folder
from tests.lvm.datasets.test_causal3dident_reading import write
from tests.lvm.datasets.test_mpi3d import write_mpi3d
from tests.repository import ROOT
from tests.runs import run
from tests.small import small_config

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
COMMAND = re.compile(r"\bmisalign ([a-z_]+(?:\.[a-z_]+)*)|-m experiments\.([a-z_]+(?:\.[a-z_]+)*)")
MODULE = re.compile(r"\bexperiments\.([a-z_]+(?:\.[a-z_]+)*)")
POSITIONS = (2, 3)  # of the arm in a small file of MPI3D


def execute(page):
    """Runs the Python blocks of a page in one namespace, which it returns.

    A text block after a Python block is the expected output.
    """
    names, printed = {}, None
    for kind, block in BLOCK.findall((ROOT / page).read_text()):
        if kind == "python":
            with contextlib.redirect_stdout(io.StringIO()) as out:
                exec(block, names)
            printed = out.getvalue()
        elif kind == "text" and printed is not None:
            assert_alike(printed, block)
        else:
            printed = None
    return names


def module_files(name):
    """Returns the files of `experiments.NAME`: module, package, and program of a package."""
    path = ROOT.joinpath("experiments", *name.split("."))
    return path.with_suffix(".py"), path / "__init__.py", path / "__main__.py"


def exists(name):
    """Whether there is a module or package `experiments.NAME`."""
    file, package, _ = module_files(name)
    return file.is_file() or package.is_file()


def is_function(name):
    """Whether the last part of `experiments.NAME` is a name in the module before it."""
    module, _, attribute = name.rpartition(".")
    return exists(module) and hasattr(import_module(f"experiments.{module}"), attribute)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a finished run and small data sets, by the paths of the pages."""
    folder = tmp_path_factory.mktemp("pages")
    run(folder / "runs" / "quickstart", small_config(seeds=2))
    write_folder(folder / "set-game" / "data" / "train-v2", deck(sessions=20))
    write(folder / "scenes3d", settings=[("selections", 3)])
    write_mpi3d(folder / "mpi3d", POSITIONS, height=64, width=64)
    return folder


@pytest.fixture(autouse=True)
def in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)


@pytest.mark.parametrize(
    "page", ["README.md", "docs/audit.md", "docs/glossary.md", "docs/retrieval.md"]
)
def test_pages_run(page):
    execute(page)


def test_the_configs_of_studies_make_plans():
    counts = []
    for kind, block in BLOCK.findall((ROOT / "docs/studies.md").read_text()):
        if kind == "python":
            names = {}
            exec(block, names)
            counts.append(len(make_plan(names["get_config"]()).lanes))
    assert counts == [5, 24]


def test_the_examples_of_data_read_them(folder):
    names = execute("docs/data.md")
    assert names["train"].images.shape[1:] == (48, 32, 3)
    assert names["images"].shape == (9, 64, 64, 3)
    assert len(names["hues"]) == len(names["words"]) == 9
    images, factors = names["mpi3d_training_images"](folder / "mpi3d", POSITIONS, count=None)
    assert images.shape[1:] == (64, 64, 3)
    assert factors.shape == (len(images), 7)


def test_the_examples_of_the_api_run():
    names = execute("docs/api.md")
    assert names["z"].x.shape == (1000, 3)
    assert names["lane"].identity.setting == "select [2] perturb {2}"
    assert names["scores"].s.shape == (10,)


def test_the_example_of_the_encoding_size_counts_the_unbiased_semantics():
    names = execute("docs/encoding_size.md")
    assert names["size"].size == 2
    z = names["encode"](names["pairs"][1])
    np.testing.assert_array_equal((z.x != 0).any(0), [True, True, False, False])


def test_the_example_of_zero_shot_is_scored(folder):
    execute("docs/zero_shot.md")
    zero_shot.main(["--image-embeddings=x.npz", "--text-embeddings=t.npz"])
    table = pd.read_csv(folder / "zero_shot" / "zero_shot.csv", keep_default_na=False)
    assert list(table.group.unique()) == ["Animal", "Color"]
    assert (table.low > 0.5).all()


def test_the_readme_is_short():
    assert len(README.read_text().split()) <= 1000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    targets = LINK.findall(FENCED.sub("", page.read_text()))
    relative = [target for target in targets if "://" not in target]
    assert [target for target in relative if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_and_modules_exist(page):
    text = page.read_text()
    commands = {short or long for short, long in COMMAND.findall(text)}
    for name in commands:
        file, _, program = module_files(name)
        assert file.is_file() or program.is_file(), name
    for name in set(MODULE.findall(text)) - commands:
        assert exists(name) or is_function(name), name
