"""Reference folder: checks that a folder holds the authors' code before anything is measured."""

import ast
import importlib.util
from pathlib import Path

MAIN = "main_numeric.py"  # the program of the numerical study
FUNCTIONS = "main", "train_step"


def check_reference(folder: Path) -> None:
    """Raises ValueError if a folder is not one of the reference code, or if a package is missing.

    Nothing of it is executed.
    """
    path = folder / MAIN
    if not path.is_file():
        raise ValueError(
            f"reference is {str(folder)!r}: allowed is a folder of the authors' code, with {MAIN}"
        )
    try:
        tree = ast.parse(path.read_text())
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ValueError(f"reference has {path}, which is no Python: {error}") from None
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for name in FUNCTIONS:
        if name not in defined:
            raise ValueError(f"reference has {path} without the function {name!r}: it is needed")
    for module in _imported(tree):
        root = module.split(".")[0]
        inside = _is_module(folder / root)
        if inside and not _is_module(folder.joinpath(*module.split("."))):
            raise ValueError(f"reference has no module {module!r}, which {MAIN} imports")
        if not inside and importlib.util.find_spec(root) is None:
            raise ValueError(
                f"reference needs the package {root!r}, which {MAIN} imports: install it, or add "
                "its module to the folder"
            )


def _imported(tree: ast.Module) -> list[str]:
    names = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.append(node.module)
    return names


def _is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").is_file()
