from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from experiments.audit.scores import score_scatter
from experiments.audit.scores.score_scatter import save_scatter

CAPTIONS = 10_000


def table(rates, scores, names, groups):
    concepts = pd.DataFrame(
        {
            "group": groups,
            "concept": names,
            "metric": "f1",
            "value": scores,
            "selection_rate": rates,
        }
    )
    of_groups = concepts.groupby("group", as_index=False)[["value", "selection_rate"]].mean()
    joined = pd.concat([concepts, of_groups.assign(concept="", metric="macro_f1")])
    return joined.assign(low=joined.value - 0.02, high=joined.value + 0.02)


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draws a table and returns its figure."""
    figures = []
    monkeypatch.setattr(score_scatter, "save_figure", lambda draw, *_: figures.append(draw()))

    def draw(joined):
        save_scatter(joined, CAPTIONS, tmp_path / "a.png")
        return figures[-1]

    return draw


def boxes(axis):
    renderer = axis.figure.canvas.get_renderer()
    return {text.get_text(): text.get_window_extent(renderer) for text in axis.texts}


def random_table(count):
    rng = np.random.default_rng(0)
    rates = np.where(rng.random(count) < 0.2, 0, 10 ** rng.uniform(-4, -1, count))
    names = [f"a concept {index}" for index in range(count)]
    return table(rates, rng.random(count), names, [f"group {index % 9}" for index in range(count)])


@pytest.mark.parametrize("count", [9, 146])
def test_names_lie_inside_and_cover_neither_one_another_nor_a_point(drawn, count):
    joined = random_table(count)
    figure = drawn(joined)
    left, right = figure.axes
    for axis, rows in ((left, joined[joined.concept != ""]), (right, joined[joined.concept == ""])):
        named = boxes(axis)
        points = axis.transData.transform(np.stack([100 * rows.selection_rate, rows.value], 1))
        for box in named.values():
            assert axis.bbox.contains(*box.min)
            assert axis.bbox.contains(*box.max)
            assert not any(box.contains(*point) for point in points)
        assert not any(a.overlaps(b) for a, b in combinations(named.values(), 2))
    assert len(boxes(right)) == 9 if count == 9 else len(boxes(right)) >= 5
    assert len(boxes(left)) == count if count == 9 else len(boxes(left)) > 70


def test_each_point_is_drawn_at_its_rate_and_score_with_its_name_beside_it(drawn):
    figure = drawn(table([0, 0.001, 0.5], [0.1, 0.5, 0.9], ["a$b$", "b", "c"], ["x", "x", "y"]))
    left = figure.axes[0]
    drawn_points = np.concatenate([line.get_xydata() for line in left.lines])
    np.testing.assert_allclose(drawn_points, [[0, 0.1], [0.1, 0.5], [50, 0.9]])
    assert {text.get_text(): text.xy for text in left.texts} == {
        r"a\$b\$": (0, 0.1), "b": (pytest.approx(0.1), 0.5), "c": (50, 0.9)
    }  # fmt: skip
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["x", "y"]


def test_points_at_one_place_are_drawn_and_names_that_fit_are_written(drawn):
    names = [f"concept {index}" for index in range(40)]
    figure = drawn(table([0.01] * 40, [0.5] * 40, names, ["x"] * 40))
    assert 0 < len(figure.axes[0].texts) < 40


def test_scores_without_groups_have_one_panel(drawn):
    joined = random_table(9)
    assert len(drawn(joined[joined.concept != ""]).axes) == 1
