"""Claim: a run directory belongs to one config, checked before any work starts."""

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

from experiments.rundir.checkpoint_files import FORMAT, check_links, read_run
from experiments.rundir.lane_identity import HYPERPARAMETERS, Lane
from experiments.rundir.lock import locked
from experiments.rundir.older_versions import upgrade_directory
from experiments.runtime.processes import any_process, is_first
from lvm.files.atomic import write_atomically

PACKAGES = ("misalign", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")
HARMLESS = (  # fields that may change on resuming: they alter rounding at most
    "save_every",
    "save_minutes",
    "lanes_per_block",
    "devices_per_lane",
    "world.data",  # paths of a data set and its converted copy on this machine
    "world.cache",
    "world.label_file",
    "world.caption_file",
)
# fields that may change if no lane is lost
GROWING = ("seeds", "settings", "only", "steps_by_setting")


@contextmanager
def claimed(
    directory: Path, config: ConfigDict, lanes: Sequence[Lane]
) -> Iterator[tuple[Lane, ...]]:
    """Holds a run directory for this config alone; yields the lanes in the order of their numbers.

    Of several processes the first does it for all. Raises ValueError with the obstacle.
    """
    with ExitStack() as held:
        refusal = None
        if is_first():
            try:
                make_directory(directory)
                if interrupted := held.enter_context(locked(directory)):
                    print(f"the last run here was interrupted: {interrupted}")
                claim(directory, config, lanes)
            except (OSError, ValueError) as error:
                refusal = error
        (refused,) = any_process([refusal is not None])
        if refused:
            raise refusal or ValueError(
                f"workdir {directory}: the first process has printed the reason"
            )
        yield read_lanes(directory)


def make_directory(directory: Path) -> None:
    """Makes a directory that a run can write to; one that holds other files is not changed.

    Raises ValueError with the obstacle.
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
        foreign = [path.name for path in directory.iterdir() if not _may_precede(path.name)]
        if foreign:
            raise ValueError(
                f"workdir {directory} is not a run directory: it holds no config.json, but "
                f"{sorted(foreign)[0]}; choose another"
            )


def _may_precede(name: str) -> bool:
    """Whether a run that is interrupted before it writes `config.json` can leave this file."""
    return name == "lock" or (name.startswith("config.json.") and name.endswith(".partial"))


def claim(directory: Path, config: ConfigDict, lanes: Sequence[Lane]) -> None:
    """Makes a directory the run directory of a config.

    A run in the directory can grow: its lanes keep their numbers, and new ones follow. A run of an
    older version is upgraded. Raises ValueError as `check_claim` does.
    """
    check_claim(directory, config, lanes)
    content = json.loads(config.to_json())
    if not (directory / "config.json").exists():
        _write_config(directory, content, lanes, _versions())
        return
    upgrade_directory(directory)
    present = read_lanes(directory)
    new = [lane for lane in lanes if lane not in present]
    if new:
        _write_config(directory, content, [*present, *new], read_run(directory)["versions"])


def check_claim(directory: Path, config: ConfigDict, lanes: Sequence[Lane]) -> None:
    """Raises ValueError, with the fields that differ, if the directory holds another run.

    It may hold a run with the same config, or one that this config only adds lanes to; fields that
    alter no result may differ.
    """
    if not (directory / "config.json").exists():
        return
    present = read_lanes(directory)
    new, old = _flatten(json.loads(config.to_json())), _flatten(read_config(directory))
    may_differ = _growing(present, lanes)
    differing = [
        f"  {field}: {old.get(field, 'absent')!r} in the run, {new.get(field, 'absent')!r} here"
        for field in sorted(old.keys() | new.keys())
        if old.get(field) != new.get(field)
        and field not in HARMLESS
        and not field.startswith(may_differ)
    ]
    if differing:
        raise ValueError(
            f"workdir {directory} holds a run with another config; choose another --workdir, or "
            "undo these differences:\n" + "\n".join(differing)
        )


def _growing(present: Sequence[Lane], lanes: Sequence[Lane]) -> tuple[str, ...]:
    """The fields that may differ, because no lane that is present is lost.

    If lanes differ in hyperparameters alone, the fields that give hyperparameters may not.
    """
    if set(present) <= set(lanes):
        return GROWING
    common = dict.fromkeys(HYPERPARAMETERS)
    without = lambda lanes: {dataclasses.replace(lane, **common) for lane in lanes}
    return ("seeds", "only") * (without(present) <= without(lanes))


def read_config(directory: Path) -> dict[str, Any]:
    """Returns the config of the run in a directory; raises ValueError if there is none."""
    return read_run(directory)["config"]


def read_lanes(directory: Path) -> tuple[Lane, ...]:
    """Returns the lanes of the run in a directory; raises ValueError if there is none."""
    return tuple(Lane(**lane) for lane in read_run(directory)["lanes"])


def checkpoint_metadata(config: ConfigDict) -> dict[str, Any]:
    """Returns the metadata of checkpoints: format, config, versions, dtype, commit."""
    return {
        "format": FORMAT,
        "config": json.loads(config.to_json()),
        "versions": _versions(),
        "dtype": "float32",
        "commit": _commit(),
    }


def _write_config(
    directory: Path, config: dict[str, Any], lanes: Sequence[Lane], versions: dict[str, str]
) -> None:
    content = {
        "format": FORMAT,
        "config": config,
        "lanes": [dataclasses.asdict(lane) for lane in lanes],
        "versions": versions,
    }
    write_atomically(directory / "config.json", json.dumps(content, indent=2) + "\n")


def _versions() -> dict[str, str]:
    return {package: version(package) for package in PACKAGES}


def _commit() -> str | None:
    """The commit of this code, with a + if files differ from it; None outside a checkout."""
    root = Path(__file__).parents[2]
    if not (root / "setup.cfg").exists():  # installed, perhaps inside another repository
        return None
    git = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found.stdout.strip() or None


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts and lists as {"recipe.steps": 6000, "settings[0].selected": "s1"}."""
    if isinstance(value, dict):
        items = [(f"{prefix}.{key}".lstrip("."), item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = [(f"{prefix}[{index}]", item) for index, item in enumerate(value)]
    else:
        return {prefix: value}
    return {key: leaf for prefix, item in items for key, leaf in _flatten(item, prefix).items()}
