"""Plugins: modules of a user's own, which register the parts that a config names.

They are searched for on `sys.path`, and then in the current directory.
"""

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

CHANGED, MISSING, UNCHANGED = "changed since the run began", "missing", "unchanged"


def import_plugins(names: Sequence[str]) -> None:
    """Imports the plugins of a config, which register their parts.

    Raises ValueError, in one line, for names of another type, a plugin that is missing, and one
    that raises an error.
    """
    _check_names(names)
    for name in names:
        find_plugin(name)
        with plugin_errors([name]):
            importlib.import_module(name)


def find_plugin(name: str) -> Path:
    """Returns the file of a plugin, or the folder of a package, without importing it.

    Raises ValueError if there is none.
    """
    here = str(Path.cwd())
    if not {"", here} & set(sys.path):
        sys.path.append(here)  # and stays, since a plugin can import others when it is called
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:  # of the package that it is in
        spec = None
    if spec is None or not spec.has_location:
        raise ValueError(
            f"plugins holds {name!r}: allowed is a module on sys.path or in {here}, where there is "
            f"no {name.replace('.', '/')}.py"
        )
    path = Path(str(spec.origin))
    return path.parent if path.name == "__init__.py" else path


@contextmanager
def plugin_errors(
    names: Sequence[str], unchanged: tuple[type[Exception], ...] = ()
) -> Iterator[None]:
    """Turns an error that the code of a plugin raises into a ValueError of one line.

    The line names the plugin, the error, and the file and line. Errors of a type in `unchanged`,
    and those that no plugin raises, are not changed.
    """
    try:
        yield
    except unchanged:
        raise
    except Exception as error:
        for name in names:
            if position := _position(error, find_plugin(name)):
                raise ValueError(
                    f"plugin {name!r} raises {one_line(error)} at {position}"
                ) from None
        raise


def one_line(error: Exception) -> str:
    """Returns the type of an error and the first line of its message."""
    lines = str(error.msg if isinstance(error, SyntaxError) else error).strip().splitlines()
    return f"{type(error).__name__} ({lines[0][:160]})" if lines else type(error).__name__


def plugin_digests(names: Sequence[str]) -> dict[str, str]:
    """Returns the SHA-256 of the file of each plugin; of a package, that of all its Python files.

    Raises ValueError as `find_plugin` does.
    """
    return {name: _digest(find_plugin(name)) for name in names}


def plugin_states(recorded: Mapping[str, str]) -> dict[str, str]:
    """Returns whether plugins, given with the digests that a run recorded, are as they were.

    They are UNCHANGED, CHANGED or MISSING. No plugin is imported.
    """
    return {name: _state(name, digest) for name, digest in recorded.items()}


def warn_of_changes(directory: Path, recorded: Mapping[str, str]) -> None:
    """Prints one line for each plugin that has changed, once in a process."""
    for name, state in plugin_states(recorded).items():
        if state == CHANGED:
            _warn(f"warning: plugin {name!r} has {CHANGED} in {directory}")


@cache
def _warn(message: str) -> None:
    print(message, file=sys.stderr)


def _state(name: str, digest: str) -> str:
    try:
        return UNCHANGED if plugin_digests([name])[name] == digest else CHANGED
    except ValueError:
        return MISSING


def _digest(path: Path) -> str:
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    files = {file.relative_to(path).as_posix(): _digest(file) for file in path.rglob("*.py")}
    return hashlib.sha256(str(sorted(files.items())).encode()).hexdigest()


def _position(error: Exception, path: Path) -> str | None:
    """File and line of the last call within a plugin; None if there is none."""
    frames = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        frames.append((str(error.filename), error.lineno))
    inside = [frame for frame in frames if Path(frame[0]).is_relative_to(path)]
    return f"{inside[-1][0]}:{inside[-1][1]}" if inside else None


def _check_names(names: Any) -> None:
    if not isinstance(names, tuple | list):
        raise ValueError(f'plugins is {names!r}: allowed is a tuple of modules, as ("mine",)')
    for name in names:
        parts = name.split(".") if isinstance(name, str) else [""]
        if not all(part.isidentifier() for part in parts) or parts[-1] == "py":
            raise ValueError(f"plugins holds {name!r}: allowed are names of modules, as 'mine'")
