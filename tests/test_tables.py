import numpy as np
import pandas as pd
import pytest

from experiments.figures import save_r2
from experiments.tables import brief, distance_from_theory, mean_over_seeds, summary

TARGETS = ["s1", "s2", "s10", "m_x", "m_t", "rep"]


@pytest.fixture
def results():
    """Two seeds of two settings; scores are made up, attainable says that s1 is kept."""
    rows = [
        {
            "lane": 0,
            "seed": seed,
            "setting": setting,
            "selected": "s1 s2",
            "perturbable": "s2",
            "dependence": "independent",
            "encoding_size": 1,
            "modality": modality,
            "probe": "mlp",
            "target": target,
            "value": (0.9 if target in ("s1", "rep") else 0.1) + 0.02 * seed,
            "attainable": float(target in ("s1", "rep")),
        }
        for setting in ("select [10]", "select [2]")
        for seed in (0, 1)
        for modality in ("x", "t")
        for target in TARGETS
    ]
    return pd.DataFrame(rows)


def test_means_over_seeds_keep_the_order_of_the_results(results):
    scores = mean_over_seeds(results, "mlp")
    assert list(scores.columns) == TARGETS
    assert list(scores.index.unique("setting")) == ["select [10]", "select [2]"]
    assert list(scores.index.unique("what")) == ["image", "text", "attainable"]
    image = scores.loc[("independent", "select [2]", 1, "image")]
    np.testing.assert_allclose(image, [0.91, 0.11, 0.11, 0.11, 0.11, 0.91])
    attainable = scores.loc[("independent", "select [2]", 1, "attainable")]
    np.testing.assert_array_equal(attainable, [1, 0, 0, 0, 0, 1])


def test_distance_from_theory(results):
    distance = distance_from_theory(results).loc[("mlp", "independent")]
    np.testing.assert_allclose(distance["least kept"], 0.9)
    np.testing.assert_allclose(distance["most leaked"], 0.12)
    np.testing.assert_allclose(distance["max error"], 0.12)
    np.testing.assert_allclose(distance["mean error"], (0.09 + 4 * 0.11) / 5)
    np.testing.assert_allclose(distance["least reverse"], 0.9)


def test_summary_fits_a_terminal_and_shows_both(results):
    lines = summary(results).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1] == "select [10], independent semantics, encoding size 1"
    assert lines[2].split() == ["image", ".91", ".11", ".11", ".11", ".11", ".91"]
    assert lines[4].split() == ["attainable", "1.0", ".00", ".00", ".00", ".00", "1.0"]


@pytest.mark.parametrize(
    ("score", "text"), [(-0.2, ".00"), (0.984, ".98"), (0.999, "1.0"), (2, "1.0")]
)
def test_scores_in_three_characters(score, text):
    assert brief(score) == text


def test_the_figure_is_written_whole(results, tmp_path):
    dependent = results.assign(dependence="dependent")
    save_r2(pd.concat([results, dependent]), tmp_path / "figures" / "r2.png")
    assert (tmp_path / "figures" / "r2.png").read_bytes().startswith(b"\x89PNG")
