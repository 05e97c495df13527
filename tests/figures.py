"""Figures in tests: the files of a figure, its size, and the texts that it contains."""

import re
from html import unescape
from pathlib import Path

from PIL import Image

from experiments.report.figure_files import CAPTION, COLUMN_WIDTH, PRINT, SMALLEST, TEXT_WIDTH

SUFFIXES = (".png", ".pdf", ".svg", CAPTION)
TEXT = re.compile("<!-- (.*?) -->", re.DOTALL)  # beside its outlines in an SVG
TYPE_SIZE = re.compile(r"scale\(([\d.]+) -")  # in hundreds of points


def texts(path: Path) -> list[str]:
    """Returns the texts in the SVG of a figure."""
    return [unescape(text) for text in TEXT.findall(path.with_suffix(".svg").read_text("utf-8"))]


def type_sizes(path: Path) -> set[float]:
    """Returns the sizes of type in the SVG of a figure, in points."""
    return {100 * float(size) for size in TYPE_SIZE.findall(path.with_suffix(".svg").read_text())}


def size_in_inches(path: Path) -> tuple[float, float]:
    """Returns width and height of the PNG of a figure by its resolution."""
    with Image.open(path) as image:
        return tuple(
            pixels / dpi for pixels, dpi in zip(image.size, image.info["dpi"], strict=True)
        )


def assert_for_print(path: Path, most_height: float = 9.0) -> None:
    """Asserts all files of a figure, TrueType fonts, the widths of a page, and readable type."""
    assert all(path.with_suffix(suffix).is_file() for suffix in SUFFIXES), path
    pdf = path.with_suffix(".pdf").read_bytes()
    assert pdf.startswith(b"%PDF") and b"/Type3" not in pdf and b"/CIDFontType2" in pdf
    width, height = size_in_inches(path)
    assert min(abs(width - COLUMN_WIDTH), abs(width - TEXT_WIDTH)) < 0.01, width
    assert height <= most_height
    with Image.open(path) as image:
        assert abs(image.info["dpi"][0] - PRINT.dpi) < 1
    assert min(type_sizes(path)) >= SMALLEST - 0.01
