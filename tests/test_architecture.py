"""The structure of the repository, read from its sources: imports, names, sizes and words."""

import ast
import importlib
import pkgutil
import re
from collections import Counter

import pytest

from tests.repository import ROOT

CORES = ("lvm", "mmcl", "probes")
PACKAGES = (*CORES, "experiments")
RIM_ONLY = {"absl", "ml_collections", "orbax", "matplotlib", "pandas", "rich", "time"}
LAYERS = (
    "runtime",
    "rundir",
    "loggers",
    "domains",
    "sweep",
    "report",
    "watch",
)  # each imports earlier ones alone
MOST_NAMES, MOST_MODULES, MOST_TOP_LEVEL = 30, 14, 16
SHARED_NAMES = {"registry"}  # one in each package that has choices by name


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def imported_modules(path):
    """Full names of all modules that a source file imports from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("core", CORES)
def test_cores_import_neither_one_another_nor_the_rim(core):
    assert sources(core)
    for path in sources(core):
        roots = {name.split(".")[0] for name in imported_modules(path)}
        forbidden = roots & ((set(CORES) - {core}) | {"experiments"} | RIM_ONLY)
        assert not forbidden, f"{path} imports {forbidden}"


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_of_experiments_imports_earlier_layers_alone(layer):
    later = LAYERS[LAYERS.index(layer) + 1 :]
    for path in sources(f"experiments/{layer}"):
        for name in imported_modules(path):
            parts = name.split(".")
            assert not (parts[0] == "experiments" and set(parts[1:2]) & set(later)), (path, name)


@pytest.mark.parametrize("core", CORES)
def test_a_public_face_is_small_and_hides_no_module(core):
    face = importlib.import_module(core)
    modules = {module.name for module in pkgutil.iter_modules(face.__path__)}
    assert 0 < len(face.__all__) <= MOST_NAMES
    assert not modules & set(face.__all__)
    assert all(hasattr(face, name) for name in face.__all__)


@pytest.mark.parametrize("core", CORES)
def test_a_public_face_imports_nothing_before_its_first_use(core):
    paths = [ROOT / core / "__init__.py"]
    names = {name.split(".")[0] for path in paths for name in imported_modules(path)}
    assert names == {"importlib", "lazy_loader"}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_folder_holds_too_many_modules_and_no_two_modules_share_a_name(package):
    paths = [path for path in sources(package) if "configs" not in path.parts]
    modules = [path for path in paths if not path.name.startswith("__")]
    for folder, count in Counter(path.parent for path in modules).items():
        assert count <= MOST_MODULES, folder
    names = Counter(path.stem for path in modules if path.stem not in SHARED_NAMES)
    assert [name for name, count in names.items() if count > 1] == []


def test_the_top_level_of_experiments_holds_commands_alone():
    assert len(list((ROOT / "experiments").glob("*.py"))) <= MOST_TOP_LEVEL


def test_no_docstring_or_comment_personifies_code():
    text = "\n".join(path.read_text() for package in PACKAGES for path in sources(package))
    assert re.findall(r"\b(?:tells?|told|telling)\b", text, re.IGNORECASE) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_functions_with_many_arguments_take_them_by_keyword(package):
    for path in sources(package):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                assert len(node.args.posonlyargs + node.args.args) <= 4 or node.args.kwonlyargs, (
                    f"{path}: {node.name}"
                )
