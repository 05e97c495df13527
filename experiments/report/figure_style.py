"""Figure style: sizes, type and colours of figures, for a page of print or for slides.

Sizes in the code are those of print: inches, and points of type. `new_figure` and `points` scale
them to the style in which a figure is drawn.
"""

from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from experiments.report.figure_text import font_families

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
FORMATS = {  # fonts of PDF as TrueType, letters of SVG as outlines, the same bytes in every run
    "pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "misalign",
    "legend.frameon": False, "legend.handlelength": 1.8, "legend.columnspacing": 1.2,
}  # fmt: skip


class Style(NamedTuple):
    """A use of figures: the factor of all sizes relative to print, and pixels per inch of PNG."""

    scale: float
    dpi: int


PRINT, SLIDES = Style(1.0, 300), Style(2.0, 160)


def rc_parameters(style: Style) -> dict[str, Any]:
    """Returns the parameters of matplotlib for a style."""
    scaled = {name: style.scale * size for name, size in POINTS.items()}
    return {**FORMATS, **scaled, "font.family": font_families(), "savefig.dpi": style.dpi}


def points(size: float) -> float:
    """Returns a size in points of print, in the style that is active."""
    return size * mpl.rcParams["font.size"] / POINTS["font.size"]


def new_figure(height: float, width: float = TEXT_WIDTH) -> Figure:
    """Returns an empty figure of a size in inches of print, in the style that is active."""
    return Figure(figsize=(points(width), points(height)), layout="constrained")
