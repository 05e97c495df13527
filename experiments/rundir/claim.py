"""Run directory: claimed by one config before any work starts, never overwritten."""

import dataclasses
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from experiments.rundir.checkpoint_files import FORMAT, check_links, read_run, steps_of
from experiments.rundir.lock import locked
from experiments.runtime.processes import any_process, is_first
from experiments.sweep.settings import Lane
from lvm.files.atomic import write_atomically

LIBRARIES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
HARMLESS = (  # fields that may change on resuming: they alter rounding at most
    "save_every",
    "save_minutes",
    "lanes_per_block",
    "devices_per_lane",
    "world.data",  # where a data set lies on this machine, and where its copy does
    "world.cache",
)
GROWING = ("seeds", "settings", "only")  # fields that may change if no lane is lost


@contextmanager
def claimed(
    directory: Path, config: ConfigDict, lanes: Sequence[Lane]
) -> Iterator[tuple[Lane, ...]]:
    """Holds a run directory for this config alone; yields the lanes in the order of their numbers.

    Of several processes the first does it for all. Raises ValueError that says what is in the way.
    """
    with ExitStack() as held:
        refusal = None
        if is_first():
            try:
                make_directory(directory)
                if broken_off := held.enter_context(locked(directory)):
                    print(f"the last run here was broken off: {broken_off}")
                claim(directory, config, lanes)
            except (OSError, ValueError) as error:
                refusal = error
        if any_process([refusal is not None]) == [True]:
            raise refusal or ValueError(f"workdir {directory}: the first process says why not")
        yield read_lanes(directory)


def make_directory(directory: Path) -> None:
    """Makes a directory that a run can write; one that holds something else is left alone.

    Raises ValueError that says what is in the way.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise ValueError(f"workdir {directory}: a file is where a directory should be") from None
    except OSError as error:
        raise ValueError(f"workdir {directory} cannot be made: {error.strerror}") from None
    if not os.access(directory, os.W_OK | os.X_OK):
        raise ValueError(f"workdir {directory} cannot be written: choose another")
    check_links(directory)
    if not (directory / "config.json").exists():
        strange = [path.name for path in directory.iterdir() if not _is_ours(path.name)]
        if strange:
            raise ValueError(
                f"workdir {directory} is not a run directory: it holds no config.json, but "
                f"{sorted(strange)[0]}; choose another"
            )


def _is_ours(name: str) -> bool:
    """Whether a run that was interrupted before `config.json` was written leaves this name."""
    return name == "lock" or (name.startswith("config.json.") and name.endswith(".partial"))


def claim(directory: Path, config: ConfigDict, lanes: Sequence[Lane]) -> None:
    """Makes a directory the home of a run with this config.

    A run that is there may grow: its lanes keep their numbers, new ones come after them. Raises
    ValueError as `check_claim` does.
    """
    check_claim(directory, config, lanes)
    content = json.loads(config.to_json())
    if not (directory / "config.json").exists():
        _write_config(directory, content, lanes)
        return
    there = read_lanes(directory)
    new = [lane for lane in lanes if lane not in there]
    if new:
        _write_config(directory, content, [*there, *new], read_run(directory)["versions"])


def check_claim(directory: Path, config: ConfigDict, lanes: Sequence[Lane]) -> None:
    """Raises ValueError, with the fields that differ, if the run that is there cannot become this.

    It can if it has the same config, or if it would only grow; some fields alter no result.
    """
    if not (directory / "config.json").exists():
        return
    there = read_lanes(directory)
    fields, old = _flatten(json.loads(config.to_json())), _flatten(read_config(directory))
    steps = lambda config: [steps_of(config, lane.setting) for lane in there]
    may_grow = GROWING * (set(there) <= set(lanes))
    may_grow += ("steps_by_setting",) * (steps(config) == steps(read_config(directory)))
    differing = [
        f"  {field}: {old.get(field, 'absent')!r} there, {fields.get(field, 'absent')!r} here"
        for field in sorted(old.keys() | fields.keys())
        if old.get(field) != fields.get(field)
        and field not in HARMLESS
        and not field.startswith(may_grow)
    ]
    if differing:
        raise ValueError(
            f"workdir {directory} holds a run with another config; choose another --workdir, or "
            "undo these differences:\n" + "\n".join(differing)
        )


def read_config(directory: Path) -> dict[str, Any]:
    """The config of the run in a directory; raises ValueError if it holds none."""
    return read_run(directory)["config"]


def read_lanes(directory: Path) -> tuple[Lane, ...]:
    """The lanes of the run in a directory, by number; raises ValueError if it holds none."""
    return tuple(Lane(**lane) for lane in read_run(directory)["lanes"])


def origin(config: ConfigDict) -> dict[str, Any]:
    """What a checkpoint tells of its origin: format, config, versions, dtype, commit."""
    return {
        "format": FORMAT,
        "config": json.loads(config.to_json()),
        "versions": _versions(),
        "dtype": "float32",
        "commit": _commit(),
    }


def _write_config(
    directory: Path,
    content: dict[str, Any],
    lanes: Sequence[Lane],
    versions: dict[str, str] | None = None,
) -> None:
    whole = {
        "format": FORMAT,
        "config": content,
        "lanes": [dataclasses.asdict(lane) for lane in lanes],
        "versions": versions or _versions(),
    }
    write_atomically(directory / "config.json", json.dumps(whole, indent=2) + "\n")


def _versions() -> dict[str, str]:
    return {library: version(library) for library in LIBRARIES}


def _commit() -> str | None:
    """The commit of this code, with a + if files differ from it; None outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--abbrev=40"]
    try:
        found = subprocess.run(
            [*git, "--dirty=+"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts and lists as {"recipe.steps": 6000, "settings[0].selected": "s1"}."""
    if isinstance(value, dict):
        items = [(f"{prefix}.{key}".lstrip("."), item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = [(f"{prefix}[{place}]", item) for place, item in enumerate(value)]
    else:
        return {prefix: value}
    return {key: leaf for prefix, item in items for key, leaf in _flatten(item, prefix).items()}
