"""Command line: what the programs that take a config share."""

import sys

from absl import flags
from ml_collections import config_flags

CONFIG = config_flags.DEFINE_config_file("config", help_string="FILE or FILE:RECIPE")


def parse_flags(argv: list[str]) -> list[str]:
    """Reads the command line; a bad flag ends in one line that names it, not in a traceback."""
    try:
        return flags.FLAGS(argv)
    except AttributeError as error:
        sys.exit(f"error: unknown config field {_one_line(error)}")
    except (ImportError, LookupError, TypeError, ValueError, flags.Error) as error:
        sys.exit(f"error: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    """What an error says; of a traceback that it quotes, the last line."""
    while error.args and isinstance(error.args[0], Exception):
        error = error.args[0]
    lines = [line for line in "\n".join(map(str, error.args)).splitlines() if line.strip()]
    return lines[-1] if any("Traceback" in line for line in lines) else " ".join(lines)
