"""The notebook of the tour: it is stored without outputs, runs as stored, and shows its results."""

import re

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from tests.repository import ROOT

NOTEBOOK = ROOT / "docs" / "tour.ipynb"
JUPYTER_FOLDERS = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
SECONDS = 1200  # of a cell, on a busy machine
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


@pytest.fixture(scope="module")
def stored():
    """The notebook as it is stored."""
    return nbformat.read(NOTEBOOK, as_version=nbformat.NO_CONVERT)


@pytest.fixture(scope="module")
def started_in(tmp_path_factory):
    """The folder in which the kernel is started."""
    return tmp_path_factory.mktemp("started_in")


@pytest.fixture(scope="module")
def executed(stored, started_in, tmp_path_factory):
    """The cells of the executed notebook by their ids."""
    notebook = nbformat.from_dict(stored)
    resources = {"metadata": {"path": str(started_in)}}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", str(ROOT))
        environment.setenv("JUPYTER_PLATFORM_DIRS", "1")  # without it, older versions warn
        for name in JUPYTER_FOLDERS:
            environment.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        NotebookClient(notebook, timeout=SECONDS, resources=resources).execute()
    return {cell.id: cell for cell in notebook.cells}


def pictures(cell):
    """Returns the number of pictures in the outputs of a cell."""
    return sum("image/png" in output.get("data", {}) for output in cell.outputs)


def printed(cell):
    """Returns the text that a cell printed."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_neither_outputs_nor_execution_counts_are_stored(stored):
    nbformat.validate(stored)
    for cell in stored.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [], cell.id
            assert cell.execution_count is None, cell.id
        assert cell.metadata == {}, cell.id


def test_text_precedes_code_in_every_section(stored):
    text = "\n".join(cell.source for cell in stored.cells if cell.cell_type == "markdown")
    assert re.findall(r"^#+ (.*)$", text, re.MULTILINE) == [
        "Tour", "Setup", "First sweep", "Your own data", "Your own objective", "Look inside",
    ]  # fmt: skip
    kinds = [cell.cell_type for cell in stored.cells]
    assert kinds == ["markdown", *["markdown", "code"] * (len(kinds) // 2)]


def test_links_lead_to_files(stored):
    targets = LINK.findall("\n".join(cell.source for cell in stored.cells))
    assert targets
    assert [target for target in targets if not (NOTEBOOK.parent / target).exists()] == []


def test_every_section_shows_its_figures(executed):
    shown = {name: pictures(cell) for name, cell in executed.items() if cell.get("outputs")}
    with_figures = {name for name, count in shown.items() if count == 1}
    assert with_figures == {"first-run", "data", "data-run", "inside"}


def test_the_objective_keeps_the_semantics_that_captions_mention(executed):
    r2 = np.array(printed(executed["objective-train"]).strip(" []\n").split(), float)
    np.testing.assert_allclose(r2, [0.9, 0.9, 0], atol=0.11)


def test_the_folder_in_which_the_kernel_is_started_stays_empty(executed, started_in):
    assert executed
    assert list(started_in.iterdir()) == []
