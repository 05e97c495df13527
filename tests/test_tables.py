import numpy as np
import pandas as pd
import pytest

from experiments.figures import save_r2
from experiments.tables import (
    brief,
    distance_from_theory,
    mean_over_seeds,
    read_results,
    summary,
)

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
            "noise_probability": 0.75,
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
    image = scores.loc[("independent", "select [2]", 1, 0.75, "image")]
    np.testing.assert_allclose(image, [0.91, 0.11, 0.11, 0.11, 0.11, 0.91])
    attainable = scores.loc[("independent", "select [2]", 1, 0.75, "attainable")]
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
    assert lines[1] == "select [10], independent semantics, size 1"
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


def test_a_score_that_is_not_a_number_survives_the_file_and_does_not_vanish(results, tmp_path):
    results.loc[(results.target == "s1") & (results.seed == 1), "value"] = np.nan
    results.to_csv(tmp_path / "results.csv", index=False)
    read = read_results(tmp_path / "results.csv")
    assert np.isnan(distance_from_theory(read)["least kept"]).all()
    assert np.isnan(mean_over_seeds(read, "mlp").xs("image", level="what")["s1"]).all()
    assert "nan" in summary(read)


def test_settings_that_differ_by_noise_probability_are_not_averaged(results):
    other = results.assign(noise_probability=0.25, value=0.0)
    scores = mean_over_seeds(pd.concat([results, other]), "mlp")
    assert len(scores.xs("image", level="what")) == 4
