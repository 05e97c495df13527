"""Inspect: what is in a run directory, from a finished or a running sweep, on any machine.

python -m experiments.inspect runs/selection [--lane 3 [--npz lane3.npz] [--diff OTHER]] [--json]
"""

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from experiments.rundir.describe import describe_lane, describe_run, differences, export

LANE_COLUMNS = (
    "lane",
    "seed",
    "setting",
    "dependence",
    "encoding_size",
    "step",
    "loss",
    "status",
    "least_kept",
    "most_leaked",
)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m experiments.inspect", description=__doc__)
    parser.add_argument("directory", type=Path, help="a run directory")
    parser.add_argument("--lane", type=int, help="one lane alone, by its number")
    parser.add_argument("--npz", type=Path, help="a new file for the arrays of that lane")
    parser.add_argument("--diff", type=Path, help="a run directory or .npz to compare with")
    parser.add_argument("--json", action="store_true", help="plain data, for other programs")
    options = parser.parse_args()
    if options.lane is None and (options.npz or options.diff):
        parser.error("--npz and --diff are about one lane: give --lane too")
    try:
        inspect(options)
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def inspect(options: argparse.Namespace) -> None:
    """Prints what is asked for."""
    if options.npz:
        export(options.directory, options.lane, options.npz)
    if options.diff:
        found = differences(options.directory, options.diff, options.lane)
    elif options.lane is None:
        found = describe_run(options.directory)
    else:
        found = describe_lane(options.directory, options.lane)
    if options.json:
        print(json.dumps(_plain(found), indent=2, allow_nan=False))
        return
    show = _show_differences if options.diff else _show
    show(found, Console(width=None if sys.stdout.isatty() else 160))


def _show(found: dict[str, Any], console: Console) -> None:
    """A run or a lane: its facts, its lanes, its arrays."""
    for name, value in found.items():
        if name == "lanes":
            console.print(_table(LANE_COLUMNS, value))
        elif name == "arrays":
            console.print(_table(("name", "shape", "dtype", "bytes", "norm"), value))
            console.print(f"{sum(array['bytes'] for array in value):,} bytes a lane")
        else:
            console.print(f"{name}: {value}", highlight=False)


def _show_differences(found: dict[str, float], console: Console) -> None:
    rows = [{"name": name, "largest difference": value} for name, value in found.items()]
    console.print(_table(("name", "largest difference"), rows))
    differing = sum(value > 0 for value in found.values())
    console.print(f"{differing} of {len(found)} arrays differ")


def _plain(found: Any) -> Any:
    """The same with null where JSON knows no number: NaN and infinity."""
    if isinstance(found, dict):
        return {name: _plain(value) for name, value in found.items()}
    if isinstance(found, list):
        return [_plain(value) for value in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found


def _table(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Table:
    table = Table(*[column.replace("_", " ") for column in columns], box=None)
    for row in rows:
        table.add_row(*[_brief(row[column]) for column in columns])
    return table


def _brief(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
