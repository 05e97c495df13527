"""Figure files: a figure as PNG and PDF."""

import io
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text

from experiments.report.figure_text import font_families
from lvm.files.atomic import write_atomically


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG to `path`, and as PDF beside it, in the fonts of `font_families`."""
    families = font_families()
    with mpl.rc_context({"font.family": families}):  # of text that is created while drawing
        for text in figure.findobj(Text):
            text.set_fontfamily(families)
        for file in (path, path.with_suffix(".pdf")):
            drawn = io.BytesIO()
            figure.savefig(drawn, dpi=160, format=file.suffix[1:])
            write_atomically(file, drawn.getvalue())
