"""Text lines: files that a process may still be writing, or was interrupted in writing."""

from pathlib import Path


def complete_lines(path: Path) -> list[str]:
    """Returns the lines of a file without a last one that was cut off.

    Raises ValueError if the file is not UTF-8 text.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text: {error}") from None
    return lines if not lines or lines[-1].endswith("\n") else lines[:-1]
