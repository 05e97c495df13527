"""Run directory: claimed by one config before any work starts, never overwritten."""

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

LIBRARIES = ("jax", "flax", "optax", "orbax-checkpoint", "numpy")
HARMLESS = ("save_every",)  # fields that may change on resuming: they cannot alter results


def claim(directory: Path, config: ConfigDict) -> None:
    """Makes a directory the home of a run with this config: new, empty, or of the same config.

    Raises ValueError, saying what is in the way, if it cannot be made or written, holds something
    else, or holds a run with another config.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"workdir {directory}: a file is where a directory should be") from None
    except OSError as error:
        raise ValueError(f"workdir {directory} cannot be made: {error.strerror}") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ValueError(f"workdir {directory} cannot be written: choose another")
    content = json.loads(config.to_json())
    if all(path.suffix == ".partial" for path in directory.iterdir()):
        versions = {library: version(library) for library in LIBRARIES}
        text = json.dumps({"config": content, "versions": versions}, indent=2)
        write_whole(directory / "config.json", text + "\n")
        return
    fields, there = _flatten(content), _flatten(read_config(directory))
    differing = [
        f"  {field}: {there.get(field, 'absent')!r} there, {fields.get(field, 'absent')!r} here"
        for field in sorted(there.keys() | fields.keys())
        if there.get(field) != fields.get(field) and field not in HARMLESS
    ]
    if differing:
        raise ValueError(
            f"workdir {directory} holds a run with another config; choose another --workdir, or "
            "undo these differences:\n" + "\n".join(differing)
        )


def read_config(directory: Path) -> dict[str, Any]:
    """The config of the run in a directory; raises ValueError if it holds none."""
    path = directory / "config.json"
    try:
        return json.loads(path.read_text())["config"]
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{directory} is not a run directory: it holds no config.json") from None
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError(f"{path} cannot be read: it is not the config of a run") from None


def write_whole(path: Path, text: str) -> None:
    """Writes a text file whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    partial.replace(path)


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts and lists as {"recipe.steps": 6000, "settings[0].selected": "s1"}."""
    if isinstance(value, dict):
        items = [(f"{prefix}.{key}".lstrip("."), item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = [(f"{prefix}[{place}]", item) for place, item in enumerate(value)]
    else:
        return {prefix: value}
    return {key: leaf for prefix, item in items for key, leaf in _flatten(item, prefix).items()}
