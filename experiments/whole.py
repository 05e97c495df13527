"""Whole: files that are written whole or not at all, and what can be read of one that is not."""

import io
import os
from pathlib import Path

from matplotlib.figure import Figure


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all; text as UTF-8."""
    data = content.encode() if isinstance(content, str) else content
    partial = path.with_name(path.name + ".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def whole_lines(path: Path) -> list[str]:
    """The lines of a file, without a last one that was cut off; ValueError if it is no text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text: {error}") from None
    return lines if not lines or lines[-1].endswith("\n") else lines[:-1]


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG at `path` and as PDF beside it."""
    for file in (path, path.with_suffix(".pdf")):
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=160, format=file.suffix[1:])
        write_whole(file, drawn.getvalue())
