"""Heat maps: numbers of cells, scales, and the arrangement of panels on a page."""

import numpy as np
import pandas as pd
import pytest

from experiments.report.figure_files import COLUMN_WIDTH, TEXT_WIDTH, read_caption
from experiments.report.heat_map_layout import choose_layout, header_text
from experiments.report.heat_maps import (
    SCORES,
    Panel,
    cell_text,
    difference_scale,
    save_heat_maps,
)
from tests.figures import assert_for_print, size_in_inches, texts


def cells(rows, columns, value=0.5):
    names = [f"select [{index + 1}]" for index in range(rows)]
    targets = [f"s{index + 1}" for index in range(columns)]
    return pd.DataFrame(np.full((rows, columns), value), names, targets)


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(0.994, 2, "0.99"), (0.996, 2, "1.00"), (0.96, 1, "1.0"), (-0.004, 2, "0.00"),
     (-0.006, 2, "<0"), (-8500.0, 2, "<0"), (1.2, 2, ">1"), (np.nan, 2, "–")],
)  # fmt: skip
def test_numbers_have_one_format_and_values_beyond_the_scale_are_marked(value, decimals, text):
    assert cell_text(value, SCORES, decimals) == text


@pytest.mark.parametrize(
    ("largest", "limit", "texts"),
    [(0.013, 0.02, ["+1.3", "", "-0.4"]), (0.3, 0.5, ["+1", "", ""]), (2.2, 3, ["+1", "", ""])],
)
def test_the_scale_of_differences_follows_the_data(largest, limit, texts):
    scale = difference_scale(largest)
    assert (scale.low, scale.high) == (-limit, limit)
    assert [cell_text(value, scale) for value in (0.013, 0.0002, -0.004)] == texts


def test_clipped_values_are_mentioned_in_the_caption(tmp_path):
    table = cells(2, 3)
    table.iloc[0, 0] = -8500
    save_heat_maps([[Panel("scores", table)]], tmp_path / "map.png", "R²", "Scores.")
    assert read_caption(tmp_path / "map.png") == "Scores. <0: lower values, down to -8,500."
    assert texts(tmp_path / "map.png").count("<0") == 1
    assert texts(tmp_path / "map.png").count("0.50") == 5


def test_a_narrow_figure_is_as_wide_as_one_of_two_columns(tmp_path):
    save_heat_maps([[Panel("scores", cells(3, 5))]], tmp_path / "map.png", "R²", "")
    assert_for_print(tmp_path / "map.png")
    assert size_in_inches(tmp_path / "map.png")[0] == pytest.approx(COLUMN_WIDTH, abs=0.01)


@pytest.mark.slow
def test_the_paper_figure_has_24_columns_and_fits_a_page(tmp_path):
    rows = [[Panel(f"{law}\n{view}", cells(10, 12)) for view in "xta"] for law in "id"]
    save_heat_maps(rows, tmp_path / "map.png", "R²", "")
    assert_for_print(tmp_path / "map.png")
    assert texts(tmp_path / "map.png").count("0.50") == 720


def test_rows_and_columns_are_exchanged_where_a_row_is_wider_than_a_page():
    layout = choose_layout([[cells(10, 12)] * 3] * 2)
    assert layout.lines == [[(0, view), (1, view)] for view in range(3)]
    assert layout.numbered and layout.upright and layout.width == TEXT_WIDTH


def test_a_row_of_one_law_is_divided_into_equal_lines():
    layout = choose_layout([[cells(8, 12)] * 4])
    assert layout.lines == [[(0, 0), (0, 1)], [(0, 2), (0, 3)]]


@pytest.mark.parametrize("columns", [25, 53, 200])
def test_more_columns_than_a_page_holds_are_a_strip_without_numbers(columns):
    layout = choose_layout([[cells(5, columns)] * 3])
    assert not layout.numbered and layout.width == TEXT_WIDTH
    assert layout.every > columns / 100
    assert layout.lines == [[(0, view)] for view in range(3)]


def test_names_that_are_wider_than_a_page_are_drawn(tmp_path):
    table = cells(2, 2).set_axis(["x" * 200, "y"])
    save_heat_maps([[Panel("scores", table)]], tmp_path / "map.png", "R²", "")
    assert (tmp_path / "map.png").is_file()


def test_long_names_of_columns_are_vertical_and_others_break_at_spaces_and_underscores():
    table = cells(3, 2).set_axis(["a name that is long", "x"], axis=1)
    assert choose_layout([[table]]).upright
    assert header_text("a name that is long", True) == "a name that\nis long"
    assert header_text("temperature_0.3", True) == "temperature_\n0.3"
    assert not choose_layout([[table.set_axis(["anunbreakablename", "x"], axis=1)]]).upright
