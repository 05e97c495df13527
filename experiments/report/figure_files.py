"""Figure files: the style of all figures, for print or for slides, and the files of a figure.

Sizes in the code are those of print: inches, and points of type. `new_figure` and `points` scale
them to the style in which a figure is drawn.
"""

import io
from collections.abc import Callable
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.backend_bases import get_registered_canvas_class
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from experiments.report.figure_text import font_families
from lvm.files.atomic import write_atomically

TEXT_WIDTH, COLUMN_WIDTH = 5.5, 3.3  # inches: of a page, and of one of two columns
BLUE, ORANGE, GREEN, GREY = "#0072b2", "#d55e00", "#009e73", "0.45"  # distinct if colour-blind
AMBER = "#e69f00"  # distinct from BLUE in grey as well
SMALLEST = 6.5  # points; of names beside points and in cells
POINTS = {
    "font.size": 7.5, "axes.titlesize": 7.5, "axes.labelsize": 7.5, "figure.labelsize": 7.5,
    "figure.titlesize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7, "legend.fontsize": 7,
    "lines.linewidth": 1.1, "lines.markersize": 3, "axes.linewidth": 0.6, "patch.linewidth": 0.6,
    "hatch.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "xtick.major.size": 2.5, "ytick.major.size": 2.5, "axes.titlepad": 3.5, "axes.labelpad": 2,
    "xtick.major.pad": 2, "ytick.major.pad": 2,
}  # fmt: skip
FIXED = {  # fonts of PDF as TrueType, letters of SVG as outlines, the same bytes in every run
    "pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "misalign",
    "legend.frameon": False, "legend.handlelength": 1.8, "legend.columnspacing": 1.2,
}  # fmt: skip
FORMATS = {  # options of printing, PNG first for the layout: the same bytes in every run
    "png": {},
    "pdf": {"metadata": {"CreationDate": None}},
    "svg": {"metadata": {"Date": None}},
}
CAPTION = ".caption.txt"
NO_DITHER = Image.Dither.NONE
WIDTH = 100  # letters of a line of a caption


class Style(NamedTuple):
    """A use of figures: the factor of all sizes relative to print, and pixels per inch of PNG."""

    scale: float
    dpi: int


PRINT, SLIDES = Style(1.0, 300), Style(2.0, 160)


def rc_parameters(style: Style) -> dict[str, Any]:
    """Returns the parameters of matplotlib for a style."""
    scaled = {name: style.scale * size for name, size in POINTS.items()}
    return {**FIXED, **scaled, "font.family": font_families(), "savefig.dpi": style.dpi}


def points(size: float) -> float:
    """Returns a size in points of print, in the style that is active."""
    return size * mpl.rcParams["font.size"] / POINTS["font.size"]


def new_figure(height: float, width: float = TEXT_WIDTH) -> Figure:
    """Returns an empty figure of a size in inches of print, in the style that is active."""
    return Figure(figsize=(points(width), points(height)), layout="constrained")


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
    if format != "png":  # `savefig` would draw once more, for the layout
        figure.dpi = mpl.rcParams["savefig.dpi"]
        canvas = get_registered_canvas_class(format)(figure)
        getattr(canvas, f"print_{format}")(content, **FORMATS[format])
        return content.getvalue()
    figure.savefig(content, format=format)
    figure.set_layout_engine("none")  # the layout is done, for the other formats as well
    has_photographs = any(image.get_array().ndim == 3 for image in figure.findobj(AxesImage))
    return content.getvalue() if has_photographs else _with_palette(content)


def _with_palette(content: io.BytesIO) -> bytes:
    """A PNG of 256 colours, a third as large."""
    reduced = io.BytesIO()
    with Image.open(content) as image:
        colours = image.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=NO_DITHER)
        colours.save(reduced, format="png", optimize=True, dpi=image.info["dpi"])
    return reduced.getvalue()
