"""Learning curves: extremes over settings, from made-up histories."""

import numpy as np
import pandas as pd
import pytest

from experiments.report.learning_curves import check_settings, learning_panels


def history(steps=(4, 4)):
    """Two seeds of two settings, and of a perturbation that may be longer; s2 scores 0.6."""
    lanes = [("select [1]", "s1", "", steps[0]), ("perturb [1]", "s1 s2", "s1", steps[1])]
    return pd.DataFrame(
        {
            "step": step, "lane": 2 * index + seed, "seed": seed, "setting": setting,
            "selected": selected, "perturbable": perturbable, "dependence": "independent",
            "noise_law": "gaussian", "encoding_size": 1, "misalignment": "noise",
            "noise_probability": 0.75, "steps": length, "loss": 1.0,
            "x_s1": 0.9, "x_s2": 0.6, "t_s1": 0.8 + 0.1 * seed, "t_s2": 0.6, "x_m_x": 1.0,
        }
        for index, (setting, selected, perturbable, length) in enumerate(lanes)
        for seed in (0, 1)
        for step in range(2, length + 1, 2)
    )  # fmt: skip


def test_a_study_has_the_lowest_kept_and_the_highest_biased_score_of_each_seed():
    panels = learning_panels(history())
    assert set(panels) == {"selection", "perturbation"}
    rows = panels["selection"]
    assert rows.step.tolist() == [2, 4, 2, 4]
    np.testing.assert_allclose(rows.kept, [0.8, 0.8, 0.9, 0.9])
    np.testing.assert_allclose(rows.leaked, 0.6)


def test_leaked_scores_are_above_attainable_and_unknown_for_lanes_without_results():
    columns = ["x_s1", "x_s2", "t_s1", "t_s2"]
    attainable = pd.DataFrame([[1, 0.5, 1, 0.2]], index=[0], columns=columns)
    rows = learning_panels(history(), attainable)["selection"]
    np.testing.assert_allclose(rows.leaked, [0.4, 0.4, np.nan, np.nan])


def test_lanes_of_a_study_that_differ_in_length_have_their_own_panels():
    rows = history(steps=(4, 8)).assign(perturbable="", setting="select [1]", selected="s1")
    panels = learning_panels(rows)
    assert {title: part.step.max() for title, part in panels.items()} == {
        "selection, 4 steps": 4, "selection, 8 steps": 8
    }  # fmt: skip


def test_an_unknown_setting_is_refused():
    check_settings(["select [1]"], history())
    with pytest.raises(ValueError, match=r"curves is 'x': allowed is select \[1\], perturb \[1\]"):
        check_settings(["x"], history())
