"""Figure files: a figure as PNG and PDF."""

import io
from pathlib import Path

from matplotlib.figure import Figure

from lvm.files.atomic import write_atomically


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG to `path`, and as PDF beside it."""
    for file in (path, path.with_suffix(".pdf")):
        drawn = io.BytesIO()
        figure.savefig(drawn, dpi=160, format=file.suffix[1:])
        write_atomically(file, drawn.getvalue())
