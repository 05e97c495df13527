import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, image

from experiments.report.figure_files import (
    COLUMN_WIDTH,
    FIXED,
    POINTS,
    PRINT,
    SLIDES,
    new_figure,
    read_caption,
    save_figure,
)
from experiments.report.figure_text import FALLBACKS, font_families, plain_text, short_labels
from experiments.report.heat_maps import Panel, save_heat_maps, target_label
from tests.figures import assert_for_print, size_in_inches, texts, type_sizes

SHAPE = "\u5f62"  # Chinese and Japanese for shape
WIDE = 1000  # units of the font


def lines():
    figure = new_figure(2.0, COLUMN_WIDTH)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], label="$s_1$")
    axis.set(title="title", xlabel="steps", ylabel="R²")
    axis.legend()
    return figure


def test_a_figure_is_written_for_print_with_its_caption(tmp_path):
    path = tmp_path / "new" / "figure.png"
    save_figure(lines, path, "A caption, " + "long " * 40)
    assert_for_print(path)
    assert size_in_inches(path) == pytest.approx((COLUMN_WIDTH, 2.0), abs=0.01)
    assert read_caption(path) == ("A caption, " + "long " * 40).strip()
    assert len(list(path.parent.iterdir())) == 4
    assert {"title", "steps", "R²"} <= set(texts(path))


def test_slides_are_twice_as_large_in_every_measure(tmp_path):
    save_figure(lines, tmp_path / "print.png", "")
    save_figure(lines, tmp_path / "slides.png", "", SLIDES)
    assert size_in_inches(tmp_path / "slides.png") == pytest.approx((6.6, 4.0), abs=0.02)
    sizes = [sorted(type_sizes(tmp_path / name)) for name in ("print.png", "slides.png")]
    assert sizes[1] == pytest.approx([2 * size for size in sizes[0]])


def test_a_figure_has_the_same_bytes_again_and_leaves_the_parameters_as_they_were(tmp_path):
    before = dict(mpl.rcParams)
    save_figure(lines, tmp_path / "a.png", "")
    save_figure(lines, tmp_path / "b.png", "")
    assert all(mpl.rcParams[name] == before[name] for name in (*POINTS, *FIXED, "font.family"))
    for suffix in (".png", ".pdf", ".svg"):
        first, second = (tmp_path / f"{name}{suffix}" for name in "ab")
        assert first.read_bytes() == second.read_bytes()


def test_a_figure_that_fails_while_it_is_drawn_writes_nothing(tmp_path):
    def fails():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        save_figure(fails, tmp_path / "new" / "figure.png", "")
    assert not (tmp_path / "new").exists()


ODD = ["cost $5 or $x_", "<script>alert(1)</script>", "50 % a_b", "é ж α"]


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_drawn_as_it_is_wherever_it_occurs(name, tmp_path):
    cells = pd.DataFrame([[0.5, 0.5]], index=[name], columns=[name, "s1"])
    save_heat_maps([[Panel(name, cells)]], tmp_path / "map.png", name, name)
    drawn = " ".join(text.replace("\\$", "$") for text in texts(tmp_path / "map.png"))
    assert drawn.count(name) + drawn.count(name.replace(" ", "\n")) >= 3
    assert read_caption(tmp_path / "map.png") == name


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
    save_heat_maps([[Panel("scores", cells)]], path, "R²", "")
    return int((image.imread(path)[..., :3].max(-1) < 0.1).sum())


def test_letters_of_other_scripts_are_drawn_in_a_font_that_has_them(fallback, tmp_path):
    assert FALLBACKS[0] in font_families()
    assert plain_text(SHAPE) == SHAPE
    cells = pd.DataFrame([[np.nan]], index=[""], columns=[""])
    with_letters = cells.set_axis([8 * SHAPE]).set_axis([SHAPE], axis=1)
    side = 7 / 72 * PRINT.dpi  # pixels of a letter in 7 points
    drawn = black(with_letters, tmp_path / "b.png") - black(cells, tmp_path / "a.png")
    assert drawn == pytest.approx(9 * side**2, rel=0.3)


def test_letters_that_no_font_has_are_drawn_as_codes(no_fallback, tmp_path):
    assert plain_text(f"é {SHAPE} $") == r"é U+5F62 \$"
    cells = pd.DataFrame([[0.5]], index=[SHAPE], columns=[f"{SHAPE} class"])
    save_heat_maps([[Panel(SHAPE, cells)]], tmp_path / "map.png", "R²", "")  # warnings are errors


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


def test_many_semantics_of_a_setting_become_a_number():
    many = ", ".join(str(index) for index in range(1, 50, 2))
    labels = [f"select {{{many}}}", f"perturb {{{many}}} mcar, p 0.5", "select {1, 3}", "x [9]"]
    assert short_labels(labels, 50) == [
        "select 25 of 50", "perturb 25 of 50 mcar, p 0.5", "select {1, 3}", "x [9]"
    ]  # fmt: skip
    assert short_labels(["select {shape, x_pos, y_pos, s_pos}, size 11"], 7) == [
        "select 4 of 7, size 11"
    ]
    assert short_labels(labels[:1] * 2, 50) == ["select 25 of 50 (1)", "select 25 of 50 (2)"]
