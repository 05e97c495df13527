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

from experiments.rundir import history
from experiments.rundir.checkpoint_files import FORMAT, check_links, read_run
from experiments.rundir.differences import LanesOf, can_continue, grown_lanes, obstacles
from experiments.rundir.lane_identity import Lane
from experiments.rundir.lock import locked
from experiments.rundir.older_versions import upgrade_directory
from experiments.runtime.plugins import CHANGED, plugin_digests
from experiments.runtime.processes import any_process, is_first
from lvm.files.atomic import write_atomically

PACKAGES = ("misalign", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")


@contextmanager
def claimed(
    directory: Path, config: ConfigDict, lanes: Sequence[Lane], lanes_of: LanesOf | None = None
) -> Iterator[tuple[Lane, ...]]:
    """Holds a run directory for this config alone; yields the lanes in the order of their numbers.

    Of several processes the first does it for all. Raises ValueError with the obstacle, as
    `check_claim`, whose argument `lanes_of` is.
    """
    with ExitStack() as held:
        refusal = None
        if is_first():
            try:
                make_directory(directory)
                if interrupted := held.enter_context(locked(directory)):
                    print(f"the last run here was interrupted: {interrupted}")
                claim(directory, config, lanes, lanes_of)
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


def claim(
    directory: Path, config: ConfigDict, lanes: Sequence[Lane], lanes_of: LanesOf | None = None
) -> None:
    """Makes a directory the run directory of a config.

    A run in the directory can grow: its lanes keep their numbers, and new ones follow; its lanes
    can get more steps. A run of an older version is upgraded. Raises ValueError as `check_claim`
    does.
    """
    check_claim(directory, config, lanes, lanes_of)
    content = {
        "config": json.loads(config.to_json()),
        "plugins": plugin_digests(config.get("plugins", ())),
    }
    if not (directory / "config.json").exists():
        write_config(directory, content, lanes, _versions())
        return
    upgrade_directory(directory)
    present = read_lanes(directory)
    grown = grown_lanes(present, lanes, can_continue(content["config"]))
    grown += [lane for lane in lanes if lane not in grown]
    if tuple(grown) != present:
        history.set_steps(directory, [lane.steps for lane in grown])
        write_config(directory, content, grown, read_run(directory)["versions"])


def check_claim(
    directory: Path, config: ConfigDict, lanes: Sequence[Lane], lanes_of: LanesOf | None = None
) -> None:
    """Raises ValueError, with the fields that stand in the way, if the directory holds another run.

    It may hold a run with the same config, or one that this config only adds lanes or steps to;
    fields that alter no result may differ.

    lanes_of: returns the lanes of another config; without it, fields under which the run could grow
              are listed, too.
    """
    if not (directory / "config.json").exists():
        return
    _check_plugins(directory, config)
    lines = obstacles(
        read_config(directory),
        json.loads(config.to_json()),
        read_lanes(directory),
        lanes=lanes,
        lanes_of=lanes_of or (lambda config: ()),
    )
    if not lines:
        return
    message = f"workdir {directory} holds a run with another config; choose another --workdir, or "
    if len(lines) == 1:
        raise ValueError(f"{message}undo the difference {lines[0]}")
    raise ValueError("\n  ".join([f"{message}undo these differences:", *lines]))


def replace_config(directory: Path, config: ConfigDict) -> None:
    """Replaces the config of the run in a directory; its lanes and versions stay."""
    content = read_run(directory)
    lanes = read_lanes(directory)
    new = {"config": json.loads(config.to_json()), "plugins": content["plugins"]}
    write_config(directory, new, lanes, content["versions"])


def _check_plugins(directory: Path, config: ConfigDict) -> None:
    """Raises ValueError unless all plugins of the run are here, and unchanged."""
    present = plugin_digests(config.get("plugins", ()))
    for name, digest in read_run(directory)["plugins"].items():
        if present.get(name) != digest:
            state = f"has {CHANGED}" if name in present else "is not in config.plugins"
            raise ValueError(
                f"workdir {directory} holds a run with plugin {name!r}, which {state}: undo this, "
                "or choose another --workdir"
            )


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


def write_config(
    directory: Path, content: dict[str, Any], lanes: Sequence[Lane], versions: dict[str, str]
) -> None:
    """Writes the `config.json` of a run directory atomically."""
    content = {
        "format": FORMAT,
        **content,
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
