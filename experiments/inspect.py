"""Inspect: shows the content of a run directory, finished or running, on any machine.

misalign inspect runs/selection [--lane=3 [--npz=lane3.npz] [--diff=OTHER]] [--json]
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.report.terminal_tables import Column, print_table
from experiments.rundir.describe import (
    describe_lane,
    describe_run,
    export_lane,
    lane_differences,
)
from experiments.rundir.lane_identity import HYPERPARAMETERS
from experiments.runtime.user_errors import user_errors

LANE_COLUMNS = (
    "lane", "seed", "setting", "dependence", "noise_law", "encoding_size", "step", "loss", "status",
    "least_kept", "most_leaked",
)  # fmt: skip


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="misalign inspect", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory")
    parser.add_argument("--lane", type=int, help="number of a lane, to show that lane alone")
    parser.add_argument("--npz", type=Path, help="a new file for the arrays of that lane")
    parser.add_argument("--diff", type=Path, help="a run directory or .npz to compare it with")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.lane is None and (options.npz or options.diff):
        parser.error("--npz and --diff are about one lane: give --lane too")
    with user_errors():
        inspect(options)


def inspect(options: argparse.Namespace) -> None:
    """Prints a run, a lane, or the differences of a lane."""
    if options.npz:
        export_lane(options.directory, options.lane, options.npz)
    if options.diff:
        found = lane_differences(options.directory, options.diff, options.lane)
    elif options.lane is None:
        found = describe_run(options.directory)
    else:
        found = describe_lane(options.directory, options.lane)
    if options.json:
        print(json.dumps(_json_values(found), indent=2, allow_nan=False))
        return
    show = _show_differences if options.diff else _show
    show(found, Console())


def _show(found: dict[str, Any], console: Console) -> None:
    """Prints the fields, lanes and arrays of a run or a lane."""
    for name, value in found.items():
        if name == "lanes":
            differing = ["world_seed"] * any(lane["world_seed"] != lane["seed"] for lane in value)
            differing += [
                name for name in HYPERPARAMETERS if len({lane[name] for lane in value}) > 1
            ]
            print_table(console, _columns((*LANE_COLUMNS, *differing), value))
        elif name == "arrays":
            print_table(console, _columns(("name", "shape", "dtype", "bytes", "norm"), value))
            console.print(f"{sum(array['bytes'] for array in value):,} bytes per lane")
        else:
            console.print(f"{name}: {value}", highlight=False)


def _show_differences(found: dict[str, float], console: Console) -> None:
    rows = [{"name": name, "largest difference": value} for name, value in found.items()]
    print_table(console, _columns(("name", "largest difference"), rows))
    differing = sum(value > 0 for value in found.values())
    console.print(f"{differing} of {len(found)} arrays differ")


def _json_values(found: Any) -> Any:
    """The same with null for NaN and infinity, which JSON does not have."""
    if isinstance(found, dict):
        return {name: _json_values(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_json_values(value) for value in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _columns(names: tuple[str, ...], rows: list[dict[str, Any]]) -> list[Column]:
    return [
        Column(
            name.replace("_", " "),
            [_brief(row[name]) for row in rows],
            is_text=any(isinstance(row[name], str) for row in rows),
        )
        for name in names
    ]


def _brief(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
