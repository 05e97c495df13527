"""Command line of the commands that take a config."""

import difflib
import sys
from pathlib import Path

from absl import flags
from ml_collections import config_flags

import experiments.configs

CONFIG = config_flags.DEFINE_config_file("config", help_string="FILE or FILE:RECIPE")
# what reading a config file or setting a field of it raises
CONFIG_ERRORS = (ImportError, LookupError, OSError, SyntaxError, TypeError, ValueError)
SHIPPED = Path(experiments.configs.__file__).parent


def parse_flags(argv: list[str]) -> list[str]:
    """Reads the command line; exits with one line, not a traceback, for a bad flag.

    A first argument that is not a flag is a config: `quickstart` or `selection:paper` for a shipped
    one, `mine.py` for a file.
    """
    try:
        program, *arguments = argv
        if arguments and not arguments[0].startswith("-"):
            arguments[0] = f"--config={config_path(arguments[0])}"
        return flags.FLAGS([program, *arguments])
    except AttributeError as error:
        sys.exit(f"error: unknown config field {_one_line(error)}")
    except (*CONFIG_ERRORS, flags.Error) as error:
        sys.exit(f"error: {_one_line(error)}")


def config_path(argument: str) -> str:
    """Returns FILE or FILE:RECIPE for a config that is given by its name or its file.

    Raises ValueError, with the nearest name, if there is no shipped config of this name.
    """
    name, colon, recipe = argument.partition(":")
    if name.endswith(".py"):
        return argument
    names = [path.stem for path in SHIPPED.glob("*.py") if _is_config(path)]
    if name not in names:
        (nearest,) = difflib.get_close_matches(name, names, 1, 0)
        raise ValueError(
            f"config is {name!r}: allowed is a file that ends in .py or the name of a shipped "
            f"config; nearest is {nearest!r}"
        )
    return f"{SHIPPED / name}.py{colon}{recipe}"


def _is_config(path: Path) -> bool:
    return path.stem not in ("__init__", "default", "recipes")


def _one_line(error: Exception) -> str:
    """The message of an error; if it quotes a traceback, its last line."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    lines = [line for line in "\n".join(map(str, error.args)).splitlines() if line.strip()]
    return lines[-1] if any("Traceback" in line for line in lines) else " ".join(lines)
