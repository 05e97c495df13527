"""Merge: makes one run directory of several with different lanes of one config.

misalign merge runs/a runs/b --workdir=runs/all
"""

import argparse
import csv
import io
import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict

from experiments.rundir.checkpoint_files import block_directory, list_checkpoints, read_run
from experiments.rundir.claim import write_config
from experiments.rundir.differences import GROWING, differing_fields
from experiments.rundir.lane_identity import Lane
from experiments.rundir.lock import locked
from experiments.rundir.older_versions import upgrade_row
from experiments.runtime.text_lines import complete_lines
from experiments.runtime.user_errors import user_errors
from experiments.sweep.plan import lanes_of
from lvm.files.atomic import atomic_path, write_atomically

TABLES = ("results.csv", "history.csv")


def merge(directories: Sequence[Path], workdir: Path) -> int:
    """Writes a run directory with the lanes of several runs; returns the number of its lanes.

    Lanes are numbered in the order of the directories. Results, history and checkpoints are
    copied; `misalign run` with the merged config goes on where lanes are not finished.

    Raises ValueError for a path that is not a run directory or exists already (`workdir`), a run
    that is being written, configs that differ in more than their lanes, and a lane of two runs.
    Nothing is written then.
    """
    if workdir.exists():
        raise ValueError(f"workdir {workdir} exists: choose another --workdir")
    with ExitStack() as locks:
        runs = [read_run(directory) for directory in directories]
        config = merged_config(directories, [run["config"] for run in runs])
        lanes = [Lane(**lane) for run in runs for lane in run["lanes"]]
        _check_plugins(directories, runs)
        _check_lanes(directories, runs, config)
        for directory in directories:
            locks.enter_context(locked(directory))
        offsets = [sum(len(run["lanes"]) for run in runs[:index]) for index in range(len(runs))]
        with atomic_path(workdir) as partial:
            partial.mkdir()
            for directory, offset in zip(directories, offsets, strict=True):
                _copy_checkpoints(directory, partial, offset)
            for name in TABLES:
                _merge_tables(name, directories, runs, offsets, partial)
            content = {"config": config, "plugins": runs[0]["plugins"]}
            write_config(partial, content, lanes, runs[0]["versions"])
    return len(lanes)


def merged_config(directories: Sequence[Path], configs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the config of all lanes of some configs.

    It has all settings, the largest number of seeds, and every lane if one config has. Raises
    ValueError, with the fields, for configs that differ in others.
    """
    first = configs[0]
    for directory, config in zip(directories[1:], configs[1:], strict=True):
        if fields := differing_fields(first, config):
            raise ValueError(
                f"config of {directory} is another than that of {directories[0]}: allowed are runs "
                f"that differ in their lanes alone, not in {', '.join(fields)}"
            )
    if len({config["world_seed"] for config in configs}) > 1:
        configs = [_with_world_seeds(config) for config in configs]
    unique = lambda field: list(
        {json.dumps(entry): entry for config in configs for entry in config[field]}.values()
    )
    return configs[0] | {
        "settings": unique("settings"),
        "steps_by_setting": unique("steps_by_setting"),
        "seeds": max(config["seeds"] for config in configs),
        "only": unique("only") if all(config["only"] for config in configs) else [],
    }


def _with_world_seeds(config: dict[str, Any]) -> dict[str, Any]:
    """The same config with its world seed in the settings."""
    given = {} if config["world_seed"] is None else {"world_seed": config["world_seed"]}
    settings = [given | setting for setting in config["settings"]]
    return config | {"settings": settings, "world_seed": None}


def _check_plugins(directories: Sequence[Path], runs: Sequence[dict[str, Any]]) -> None:
    """Raises ValueError for plugins that are not the same in all runs."""
    for directory, run in zip(directories[1:], runs[1:], strict=True):
        for name in run["plugins"].keys() | runs[0]["plugins"].keys():
            if run["plugins"].get(name) != runs[0]["plugins"].get(name):
                raise ValueError(
                    f"plugin {name!r} of {directory} is another than that of {directories[0]}: "
                    "allowed are runs with the same plugins"
                )


def _check_lanes(
    directories: Sequence[Path], runs: Sequence[dict[str, Any]], config: dict[str, Any]
) -> None:
    """Raises ValueError for a lane that two runs have, or that the merged config has not."""
    of_config = set(lanes_of(ConfigDict(config)))
    owner: dict[Lane, Path] = {}
    for directory, run in zip(directories, runs, strict=True):
        for number, lane in enumerate(Lane(**lane) for lane in run["lanes"]):
            name = f"lane {number} of {directory} ({lane.setting}, seed {lane.seed})"
            if lane in owner:
                raise ValueError(f"{name} is in {owner[lane]}, too: allowed are different lanes")
            if lane not in of_config:
                raise ValueError(
                    f"{name} is no lane of the common config: allowed are runs that differ in "
                    + ", ".join(GROWING)
                )
            owner[lane] = directory


def _copy_checkpoints(directory: Path, target: Path, offset: int) -> None:
    """Copies the complete checkpoints of a run, its lanes numbered from `offset`."""
    for checkpoint in list_checkpoints(directory):
        lanes = range(checkpoint.lanes[0] + offset, checkpoint.lanes[-1] + offset + 1)
        shutil.copytree(checkpoint.path, block_directory(target, lanes) / checkpoint.path.name)


def _merge_tables(
    name: str,
    directories: Sequence[Path],
    runs: Sequence[dict[str, Any]],
    offsets: Sequence[int],
    target: Path,
) -> None:
    """Writes the rows of a table of all runs, with the new numbers of their lanes."""
    rows = []
    for directory, run, offset in zip(directories, runs, offsets, strict=True):
        path = directory / name
        lines = complete_lines(path) if path.exists() else []
        for row in csv.DictReader(lines):
            upgraded = upgrade_row(row, run["lanes"])
            rows.append(upgraded | {"lane": int(row["lane"]) + offset})
    if rows:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(target / name, text.getvalue())


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign merge", description=__doc__)
    parser.add_argument("directories", type=Path, nargs="+", help="run directories of one config")
    parser.add_argument("--workdir", type=Path, required=True, help="a new run directory")
    options = parser.parse_args(arguments)
    with user_errors():
        if len(options.directories) < 2:
            raise ValueError("merge has one run directory: allowed are two or more")
        count = merge(options.directories, options.workdir)
    print(f"{count} lanes: {options.workdir}")
    print(f"report them: misalign report {options.workdir}")


if __name__ == "__main__":
    main()
