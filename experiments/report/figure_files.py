"""Figure files: a figure as PNG, PDF and SVG, with its caption as text."""

import io
from collections.abc import Callable
from pathlib import Path
from textwrap import fill

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from experiments.report.figure_style import PRINT, Style, rc_parameters
from lvm.files.atomic import write_atomically

FORMATS = {  # options of `Figure.savefig`: small files, the same bytes in every run
    "png": {},
    "pdf": {"metadata": {"CreationDate": None}},
    "svg": {"metadata": {"Date": None}},
}
CAPTION = ".caption.txt"
NO_DITHER = Image.Dither.NONE
WIDTH = 100  # letters of a line of a caption


def save_figure(draw: Callable[[], Figure], path: Path, caption: str, style: Style = PRINT) -> None:
    """Draws a figure in a style; writes it as PNG to `path`, and PDF, SVG and caption beside it.

    `draw` is called while the style is active. Nothing is written before all formats are drawn.
    """
    with mpl.rc_context(rc_parameters(style)):
        figure = draw()
        drawn = {f".{format}": _drawn(figure, format) for format in FORMATS}
    for suffix, content in {**drawn, CAPTION: fill(caption, WIDTH) + "\n"}.items():
        write_atomically(path.with_suffix(suffix), content)


def read_caption(path: Path) -> str:
    """Returns the caption of the figure at `path` in one line."""
    return " ".join(path.with_suffix(CAPTION).read_text(encoding="utf-8").split())


def _drawn(figure: Figure, format: str) -> bytes:
    content = io.BytesIO()
    figure.savefig(content, format=format, **FORMATS[format])
    figure.set_layout_engine("none")  # the layout is done, for the other formats as well
    has_photographs = any(image.get_array().ndim == 3 for image in figure.findobj(AxesImage))
    return content.getvalue() if format != "png" or has_photographs else _with_palette(content)


def _with_palette(content: io.BytesIO) -> bytes:
    """A PNG of 256 colours, a third as large."""
    reduced = io.BytesIO()
    with Image.open(content) as image:
        colours = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=NO_DITHER)
        colours.save(reduced, format="png", optimize=True, dpi=image.info["dpi"])
    return reduced.getvalue()
