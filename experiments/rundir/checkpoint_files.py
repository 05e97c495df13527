"""Checkpoint files: reads arrays of single lanes, without JAX.

`experiments/rundir/checkpoints.py` writes checkpoints through orbax. TensorStore, the library
beneath orbax, reads any lanes of any array, and nothing else of the file.
"""

import contextlib
import hashlib
import json
import os
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorstore as ts

from experiments.rundir.older_versions import upgrade_run

INTERPRETED = set("*?[]\\")  # by glob, and as separators
FORMAT = 3  # of run directories and checkpoints; a newer one is refused
DIVERGED = "diverged"  # how the status of such a lane begins
RUN_FILES = (  # of files and folders in a run directory
    "lock", "config.json", "checkpoints", "history.csv", "results.csv", "summary.csv",
    "metrics.csv", "report.html", "figures", "progress.json", "tensorboard", "wandb",
)  # fmt: skip

ArrayName = tuple[str, ...]  # the path of an array in a state, like ("train", "params", "x", ...)


def read_run(directory: Path) -> dict[str, Any]:
    """Returns config, lanes, package versions and plugins of the run in a directory, as plain data.

    A run of an older version is returned in the format of this one. Raises ValueError if there is
    no run, one of a newer format, or a link that leads out of the directory.
    """
    check_links(directory)
    path = directory / "config.json"
    try:
        content = json.loads(path.read_text())
        check_format(path, content["format"])
        content = upgrade_run(content)
        plugins = {"plugins": dict(content.get("plugins", {}))}  # name -> digest of its file
        return {name: content[name] for name in ("config", "lanes", "versions")} | plugins
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{directory} is not a run directory: it holds no config.json") from None
    except (json.JSONDecodeError, KeyError, TypeError):
        raise ValueError(f"{path} cannot be read: it is not the config of a run") from None


class UnreadableError(ValueError):
    """A checkpoint is damaged; an older one may not be."""


class Checkpoint(NamedTuple):
    """A checkpoint of lanes that run together: its path, their numbers, the steps done.

    Row i of every array belongs to lane `lanes[i]`; further rows are padding.
    """

    path: Path
    lanes: range
    step: int


def block_directory(directory: Path, lanes: Sequence[int]) -> Path:
    """Returns the folder of the checkpoints of consecutive lanes."""
    return directory / "checkpoints" / f"lanes_{lanes[0]}-{lanes[-1]}"


def list_checkpoints(directory: Path) -> list[Checkpoint]:
    """Returns the complete checkpoints of a run directory, most steps first, then by lane.

    Raises ValueError for one that lies outside the directory.
    """
    found = []
    for path in (directory / "checkpoints").glob("lanes_*/*"):
        lanes = re.fullmatch(r"lanes_(\d+)-(\d+)", path.parent.name)
        if lanes and path.name.isdigit():
            check_inside(directory, path)
            first, last = map(int, lanes.groups())
            found.append(Checkpoint(path, range(first, last + 1), int(path.name)))
    return sorted(
        found, key=lambda checkpoint: (-checkpoint.step, checkpoint.lanes[0], len(checkpoint.lanes))
    )


def newest_by_lane(checkpoints: Iterable[Checkpoint]) -> dict[int, Checkpoint]:
    """Returns the checkpoint with most steps of every lane that has one, by number of the lane."""
    newest: dict[int, Checkpoint] = {}
    for checkpoint in checkpoints:
        for lane in checkpoint.lanes:
            newest.setdefault(lane, checkpoint)
    return dict(sorted(newest.items()))


def plain_path(path: Path) -> Path:
    """Returns a path to the same folder without characters that orbax or TensorStore interpret.

    It is the path itself, or goes through a link in the user's cache folder to the parent folder.
    The name of the link depends on the path alone, so all processes of a run have the same.
    """
    if not set(str(path)) & INTERPRETED:
        return path
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(os.fsencode(path.parent)).hexdigest()[:16]
    link = caches / "misalign" / "directories" / digest
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(path.parent, target_is_directory=True)
    return link / path.name


def check_links(directory: Path) -> None:
    """Raises ValueError if a part of a run directory is a link to somewhere else."""
    for name in RUN_FILES:
        check_inside(directory, directory / name)


def check_inside(directory: Path, path: Path) -> None:
    """Raises ValueError for a path that a symbolic link leads out of the run directory."""
    if not path.resolve().is_relative_to(directory.resolve()):
        raise ValueError(f"{path} leads out of the run directory: {path.resolve()}")


def read_metadata(checkpoint: Checkpoint) -> dict[str, Any]:
    """Returns the metadata of a checkpoint: format, config, versions, dtype, commit.

    Raises UnreadableError if it is damaged, ValueError if it is of a newer format.
    """
    try:
        metadata = json.loads((checkpoint.path / "_CHECKPOINT_METADATA").read_text())[
            "custom_metadata"
        ]
        check_format(checkpoint.path, metadata["format"])
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise _unreadable(checkpoint, error) from None
    return metadata


def check_format(path: Path, number: int) -> None:
    """Raises ValueError for a format of a newer version."""
    if number > FORMAT:
        raise ValueError(
            f"{path} has format {number}, of a newer version: allowed is up to {FORMAT}; update"
        )


def array_names(checkpoint: Checkpoint) -> list[ArrayName]:
    """Returns the names of all arrays in a checkpoint; raises UnreadableError if it is damaged."""
    try:
        tree = json.loads((checkpoint.path / "state" / "_METADATA").read_text())["tree_metadata"]
        leaves = [leaf for leaf in tree.values() if not leaf["value_metadata"]["skip_deserialize"]]
        return [tuple(str(part["key"]) for part in leaf["key_metadata"]) for leaf in leaves]
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise _unreadable(checkpoint, error) from None


def read_arrays(
    checkpoint: Checkpoint, names: Sequence[ArrayName], lanes: Sequence[int]
) -> list[np.ndarray]:
    """Returns arrays of a checkpoint, with one row for each of these consecutive lanes.

    Raises UnreadableError, with the checkpoint, if it is damaged, ValueError if it
    cannot be opened.
    """
    begin = checkpoint.lanes.index(lanes[0])
    rows = slice(begin, begin + len(lanes))
    base = {"driver": "file", "path": f"{plain_path(checkpoint.path.resolve())}/state/"}
    context = ts.Context()

    def opened(name):
        kvstore = {"driver": "ocdbt", "base": base, "path": ".".join(name) + "/"}
        return ts.open({"driver": "zarr3", "kvstore": kvstore}, read=True, context=context)

    try:
        arrays = [array.result() for array in [opened(name) for name in names]]
        parts = [part.result() for part in [array[rows].read() for array in arrays]]
    except (ValueError, OSError) as error:
        raise _unreadable(checkpoint, error) from None
    _check_sums(checkpoint, names, rows, parts)
    return parts


def checksums(named_arrays: Mapping[ArrayName, np.ndarray]) -> dict[str, list[int]]:
    """Returns the CRC-32 of every row of arrays, by dotted name, for the metadata."""
    return {
        ".".join(name): [zlib.crc32(row.tobytes()) for row in array]
        for name, array in named_arrays.items()
    }


def _check_sums(
    checkpoint: Checkpoint, names: Sequence[ArrayName], rows: slice, parts: Sequence[np.ndarray]
) -> None:
    """Raises UnreadableError if rows differ from those that were saved; old ones have no sums."""
    saved = read_metadata(checkpoint).get("checksums", {})
    for name, found in checksums(dict(zip(names, parts, strict=True))).items():
        if name in saved and saved[name][rows] != found:
            raise _unreadable(checkpoint, ValueError(f"{name} has another checksum than was saved"))


def _unreadable(checkpoint: Checkpoint, error: Exception) -> ValueError:
    """UnreadableError if all files can be opened, so that it is damaged; else another error."""
    try:
        for path in checkpoint.path.rglob("*"):
            if path.is_file():
                path.open("rb").close()
    except OSError as cause:
        return ValueError(
            f"checkpoint {checkpoint.path} cannot be opened, nothing was changed: {cause}"
        )
    return UnreadableError(f"checkpoint {checkpoint.path} cannot be read: {first_line(error)}")


def status_of(failed_at: int, healthy: str) -> str:
    """Returns the status of a lane, from the step at which it diverged, -1 if it did not."""
    return healthy if failed_at < 0 else f"{DIVERGED} at step {failed_at}"


def first_line(error: Exception) -> str:
    """Returns the first line of an error message."""
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
