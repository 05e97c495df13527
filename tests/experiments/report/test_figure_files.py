import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, image
from matplotlib.figure import Figure

from experiments.report.figure_files import save_figure
from experiments.report.figure_text import FALLBACKS, font_families, plain_text
from experiments.report.heat_maps import Panel, save_heat_maps, target_label

SHAPE = "\u5f62"  # Chinese and Japanese for shape
WIDE = 1000  # units of the font


def test_a_figure_is_written_as_png_and_as_pdf(tmp_path):
    save_figure(Figure(), tmp_path / "new" / "figure.png")
    assert (tmp_path / "new" / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "new" / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_a_dollar_sign_in_a_name_is_drawn_as_it_is(tmp_path):
    cells = pd.DataFrame([[0.5]], index=["cost $5 or $x_"], columns=["s1"])
    save_heat_maps([[Panel("a $ and $", cells)]], tmp_path / "map.png", "R²")
    assert (tmp_path / "map.png").stat().st_size > 1000


@pytest.fixture
def no_fallback(monkeypatch):
    fonts = [font for font in font_manager.fontManager.ttflist if font.name not in FALLBACKS]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", fonts)


@pytest.fixture
def fallback(no_fallback, tmp_path):
    """A font in which every letter of SHAPE is a black square."""
    pen = TTGlyphPen(None)
    for number, point in enumerate([(0, 0), (0, WIDE), (WIDE, WIDE), (WIDE, 0)]):
        (pen.lineTo if number else pen.moveTo)(point)
    pen.closePath()
    empty, square = TTGlyphPen(None).glyph(), pen.glyph()
    font = FontBuilder(WIDE, isTTF=True)
    font.setupGlyphOrder([".notdef", "shape"])
    font.setupCharacterMap({ord(SHAPE): "shape"})
    font.setupGlyf({".notdef": empty, "shape": square})
    font.setupHorizontalMetrics({".notdef": (WIDE, 0), "shape": (WIDE, 0)})
    font.setupHorizontalHeader(ascent=WIDE, descent=0)
    font.setupNameTable({"familyName": FALLBACKS[0], "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(tmp_path / "font.ttf")
    font_manager.fontManager.addfont(tmp_path / "font.ttf")


def black(cells, path):
    save_heat_maps([[Panel("scores", cells)]], path, "R²")
    return int((image.imread(path)[..., :3].max(-1) < 0.1).sum())


def test_letters_of_other_scripts_are_drawn_in_a_font_that_has_them(fallback, tmp_path):
    assert FALLBACKS[0] in font_families()
    assert plain_text(SHAPE) == SHAPE
    cells = pd.DataFrame([[np.nan]], index=[""], columns=[""])
    with_letters = cells.set_axis([8 * SHAPE]).set_axis([SHAPE], axis=1)
    side = 8 / 72 * 160  # pixels of a letter in 8 points
    drawn = black(with_letters, tmp_path / "b.png") - black(cells, tmp_path / "a.png")
    assert drawn == pytest.approx(9 * side**2, rel=0.3)


def test_letters_that_no_font_has_are_drawn_as_codes(no_fallback, tmp_path):
    assert plain_text(f"é {SHAPE} $") == r"é U+5F62 \$"
    cells = pd.DataFrame([[0.5]], index=[SHAPE], columns=[f"{SHAPE} class"])
    save_heat_maps([[Panel(SHAPE, cells)]], tmp_path / "map.png", "R²")  # warnings are errors


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("s10", "$s_{10}$"),
        ("m_x", "$m_x$"),
        ("y1 class", "$y_{1}$\nclass"),
        ("_5", "_5"),
        ("s²", "s²"),
        ("a$b$", r"a\$b\$"),
        ("50%", "50%"),
    ],
)
def test_targets_are_formulas_only_if_they_are_numbered_letters(target, label):
    assert target_label(target) == label
