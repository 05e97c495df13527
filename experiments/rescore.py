"""Rescore: scores a finished run again under another evaluation, from its checkpoints.

misalign rescore runs/quickstart --evaluation.probes='("linear","mlp","kernel")'
"""

import ast
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_collections import ConfigDict
from rich.console import Console

from experiments.report.write_report import print_summary
from experiments.run import load_shared, run_blocks
from experiments.rundir.claim import (
    checkpoint_metadata,
    make_directory,
    read_config,
    read_lanes,
    replace_config,
)
from experiments.rundir.describe import finished_lanes
from experiments.rundir.lock import locked
from experiments.rundir.older_versions import upgrade_directory
from experiments.runtime.devices import (
    enable_compilation_cache,
    fix_numeric_settings,
    use_every_core,
)
from experiments.runtime.signals import Stopped
from experiments.runtime.user_errors import user_errors
from experiments.sweep.plan import make_plan, order_lanes
from lvm.files.atomic import atomic_path

PREFIX = "--evaluation."


def rescore(directory: Path, changes: dict[str, Any], console: Console) -> None:
    """Replaces the scores of a finished run by those of its evaluation with some changes.

    The directory then equals that of one run with this evaluation from the start. `results.csv` is
    replaced once all lanes have scores, `config.json` right after it.

    Raises ValueError for a path that is not a run directory, a run with steps left and a bad
    evaluation, Stopped if a stop is requested; nothing has changed then.
    """
    config = ConfigDict(read_config(directory))
    config.evaluation.update(changes)
    plan = order_lanes(make_plan(config), read_lanes(directory))
    finished_lanes(directory)
    make_directory(directory)  # raises if it cannot be written
    shared = load_shared(plan, console)
    with locked(directory):
        upgrade_directory(directory)
        with atomic_path(directory / "results.csv") as results:
            metadata = checkpoint_metadata(config)
            run_blocks(plan, shared, directory, console=console, metadata=metadata, results=results)
        replace_config(directory, config)
    print_summary(directory, console)


def parse_changes(arguments: Sequence[str], evaluation: dict[str, Any]) -> dict[str, Any]:
    """Returns the fields of an evaluation that arguments like "--evaluation.fit=4096" give.

    Raises ValueError for another argument, an unknown field, and a value of another type.
    """
    changes = {}
    for argument in arguments:
        name, equals, text = argument.removeprefix(PREFIX).partition("=")
        if not (argument.startswith(PREFIX) and equals and name in evaluation):
            raise ValueError(
                f"argument is {argument!r}: allowed is {PREFIX}FIELD=VALUE with one of the fields "
                + ", ".join(evaluation)
            )
        changes[name] = _parse(f"evaluation.{name}", text, evaluation[name])
    return changes


def _parse(field: str, text: str, before: Any) -> Any:
    """The value of a text, of the type that the field has."""
    try:
        value = text if isinstance(before, str) else ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    value = list(value) if isinstance(value, tuple) else value
    if type(value) is not type(before):
        kind = {list: "a tuple", int: "an integer", bool: "True or False"}.get(type(before))
        raise ValueError(f"{field} is {text}: allowed is {kind or type(before).__name__}")
    return value


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line."""
    directory, *options = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    if directory.startswith("-"):
        print(f"usage: misalign rescore DIRECTORY {PREFIX}FIELD=VALUE ...\n\n{__doc__}")
        sys.exit(directory not in ("-h", "--help"))
    with user_errors():
        changes = parse_changes(options, read_config(Path(directory))["evaluation"])
        if not changes:
            raise ValueError(f"no change: give {PREFIX}FIELD=VALUE")
        fix_numeric_settings()
        use_every_core()
        enable_compilation_cache()
        try:
            rescore(Path(directory), changes, Console())
        except Stopped as stopped:
            print(f"stopped after {stopped}; the scores are still those of before")
            sys.exit(130)


if __name__ == "__main__":
    main()
