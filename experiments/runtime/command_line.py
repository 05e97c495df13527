"""Command line of the commands that take a config."""

import difflib
import sys
from pathlib import Path

from absl import flags
from ml_collections import ConfigDict, config_flags

import experiments.configs

CONFIG = config_flags.DEFINE_config_file("config", help_string="FILE or FILE:RECIPE")
# what reading a config file or setting a field of it raises
CONFIG_ERRORS = (ImportError, LookupError, OSError, SyntaxError, TypeError, ValueError)
FIELD = "--config."  # begins an argument that sets a field
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
    except (AttributeError, *CONFIG_ERRORS, flags.Error) as error:
        unknown = "unknown config field " if isinstance(error, AttributeError | KeyError) else ""
        without_fields = _value_without_fields(program, arguments)
        sys.exit(f"error: {without_fields or unknown + _one_line(error)}")


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


def _value_without_fields(program: str, arguments: list[str]) -> str:
    """Returns a message for an argument that sets a field of a value without fields, or ""."""
    values = flags.FlagValues()
    argv = [program, *(each for each in arguments if each.startswith("--config="))]
    config_flags.DEFINE_config_file("config", flag_values=values, sys_argv=argv)
    try:
        values(argv)
        config = values["config"].value
    except (AttributeError, *CONFIG_ERRORS, flags.Error):
        return ""
    for argument in arguments:
        if not (argument.startswith(FIELD) and isinstance(config, ConfigDict)):
            continue
        field, above, below = config, "", argument.removeprefix(FIELD).partition("=")[0]
        while below and isinstance(field, ConfigDict) and below.partition(".")[0] in field:
            name, _, below = below.partition(".")
            field, above = field[name], f"{above}.{name}".strip(".")
        if below and not isinstance(field, ConfigDict):
            return f"{above} is {field!r}, without field {below}: allowed is {FIELD}{above}=VALUE"
    return ""


def _is_config(path: Path) -> bool:
    return path.stem not in ("__init__", "default", "recipes")


def _one_line(error: Exception) -> str:
    """The message of an error; if it quotes a traceback, its last line."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    lines = [line for line in "\n".join(map(str, error.args)).splitlines() if line.strip()]
    return lines[-1] if any("Traceback" in line for line in lines) else " ".join(lines)
