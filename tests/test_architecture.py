"""Who may import whom, read from the sources."""

import ast

import pytest

from tests.repository import ROOT

CORES = {"lvm", "mmcl", "probes"}
RIM_ONLY = {"absl", "ml_collections", "orbax", "matplotlib", "pandas", "rich", "time"}


def imported(path):
    """Top-level names of all modules that a source file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module.split(".")[0]


@pytest.mark.parametrize("core", sorted(CORES))
def test_cores_know_neither_one_another_nor_the_rim(core):
    sources = sorted((ROOT / core).rglob("*.py"))
    assert sources
    for path in sources:
        forbidden = set(imported(path)) & ((CORES - {core}) | {"experiments"} | RIM_ONLY)
        assert not forbidden, f"{path} imports {forbidden}"
