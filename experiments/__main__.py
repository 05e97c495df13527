"""Misalign: trains, scores and reports sweeps of multimodal contrastive learning.

misalign COMMAND [ARGUMENTS], the same as python -m experiments.COMMAND
"""

import ast
import difflib
import runpy
import sys
from importlib.metadata import version
from pathlib import Path

from experiments.runtime.user_errors import exit_on_interrupt

COMMANDS = (
    "run", "watch", "report", "rescore", "merge", "inspect", "compare", "best", "metrics",
    "gallery", "export", "supervised", "time_to_identify", "audit", "zero_shot", "benchmark",
    "studies.linearity", "studies.objectives", "studies.misalignment", "studies.scene_factors",
    "studies.attainable", "studies.encoding_size", "studies.stamps", "studies.mention_rates",
)  # fmt: skip


def main() -> None:
    """Runs a command in this process; without one, lists all commands."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(command_list())
    elif arguments[0] == "--version":
        print(f"misalign {version('misalign')}")
    elif arguments[0] in COMMANDS:
        sys.argv = [f"misalign {arguments[0]}", *arguments[1:]]
        with exit_on_interrupt():  # importing a command takes seconds
            runpy.run_module(f"experiments.{arguments[0]}", run_name="__main__", alter_sys=False)
    else:
        (nearest,) = difflib.get_close_matches(arguments[0], COMMANDS, 1, 0)
        sys.exit(f"error: unknown command {arguments[0]!r}: nearest is {nearest!r}")


def command_list() -> str:
    """Returns the usage, with one line for each command."""
    lines = [f"  {command:<22} {_summary(command)}" for command in COMMANDS]
    return "\n".join(
        [
            "usage: misalign COMMAND [ARGUMENTS]   (misalign COMMAND --help, misalign --version)",
            "",
            *lines,
            "",
            "Start with: misalign run quickstart",
        ]
    )


def _summary(command: str) -> str:
    """The first line of a command's docstring, read without importing it."""
    path = Path(__file__).parent.joinpath(*command.split("."))
    source = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return docstring.split("\n")[0].partition(": ")[2]


if __name__ == "__main__":
    main()
