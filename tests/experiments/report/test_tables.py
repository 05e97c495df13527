import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.report.figures import save_scores
from experiments.report.tables import (
    add_full_selection,
    aggregate_seeds,
    brief,
    distance_from_theory,
    has_exact_size,
    setting_labels,
    size_notes,
    study_names,
    summary,
)
from experiments.rundir.results import read_results

TARGETS = ["s1", "s2", "s10", "m_x", "m_t", "rep"]


@pytest.fixture
def results():
    """Made-up scores of two seeds of two settings; s1 is attainable from the unbiased semantics."""
    rows = [
        {
            "lane": 0,
            "seed": seed,
            "setting": setting,
            "selected": "s1 s2",
            "perturbable": "s2",
            "dependence": "independent",
            "noise_law": "gaussian",
            "encoding_size": 1,
            "misalignment": "noise",
            "noise_probability": 0.75,
            "modality": modality,
            "probe": "mlp",
            "target": target,
            "metric": "r2",
            "environment": "same",
            "value": (0.9 if target in ("s1", "rep") else 0.1) + 0.02 * seed,
            "attainable": float(target in ("s1", "rep")),
            "status": "ok",
        }
        for setting in ("select [10]", "select [2]")
        for seed in (0, 1)
        for modality in ("x", "t")
        for target in TARGETS
    ]
    return pd.DataFrame(rows)


def test_cells_are_means_over_seeds_in_the_order_of_the_results(results):
    cells = aggregate_seeds(results)
    assert list(cells.target.unique()) == TARGETS
    assert list(cells.setting.unique()) == ["select [10]", "select [2]"]
    cell = cells[(cells.setting == "select [2]") & (cells.modality == "x")].set_index("target")
    np.testing.assert_allclose(cell["mean"], [0.91, 0.11, 0.11, 0.11, 0.11, 0.91])
    np.testing.assert_array_equal(cell.attainable, [1, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(cell.seeds, 2)


def test_the_interval_is_that_of_students_t(results):
    three = pd.concat([results, results[results.seed == 0].assign(seed=2, value=0.5)])
    cell = aggregate_seeds(three[three.target == "s1"]).iloc[0]
    scores = [0.9, 0.92, 0.5]
    expected = stats.t.interval(0.95, 2, np.mean(scores), stats.sem(scores))
    np.testing.assert_allclose((cell.low, cell.high), expected)
    np.testing.assert_allclose(cell.sd, np.std(scores, ddof=1))


def test_one_seed_has_no_interval(results):
    cells = aggregate_seeds(results[results.seed == 0])
    assert cells[["sd", "low", "high"]].isna().all(axis=None)
    assert cells["mean"].notna().all()


def test_the_study_of_a_setting():
    rows = pd.DataFrame(
        [
            ("select [1]", "s1", "", 3, "selection"),  # in no other size
            ("select [2]", "s1 s2", "", 2, "selection"),
            ("select [2]", "s1 s2", "", 3, "encoding size"),
            ("perturb [1]", "s1 s2 s3", "s1", 2, "perturbation"),
            ("select [2] perturb [1]", "s1 s2", "s1", 1, "joint"),
        ],
        columns=["setting", "selected", "perturbable", "encoding_size", "study"],
    ).assign(
        dependence="independent",
        noise_law="gaussian",
        misalignment="noise",
        noise_probability=0.75,
    )
    assert study_names(rows).tolist() == rows.study.tolist()
    assert has_exact_size(rows).tolist() == [False, True, False, True, True]


def test_distance_from_theory(results):
    distance = distance_from_theory(results).loc[("mlp", "independent")]
    np.testing.assert_allclose(distance["least kept"], 0.9)
    np.testing.assert_allclose(distance["most leaked"], 0.12)
    np.testing.assert_allclose(distance["max error"], 0.12)
    np.testing.assert_allclose(distance["mean error"], (0.09 + 4 * 0.11) / 5)
    np.testing.assert_allclose(distance["least reverse"], 0.9)


def test_distance_from_theory_ignores_spare_dimensions(results):
    spare = results.assign(encoding_size=2, value=0.5)
    both = pd.concat([results, spare])
    pd.testing.assert_frame_equal(distance_from_theory(both), distance_from_theory(results))


def test_full_selection_is_shown_in_perturbation_too(results):
    rows = results[results.setting == "select [2]"].assign(selected="s1 s2 s10")
    full = rows.assign(perturbable="", encoding_size=3)
    perturbed = rows.assign(setting="perturb {2}", encoding_size=2)
    cells = add_full_selection(aggregate_seeds(pd.concat([perturbed, full])))
    shown = cells[cells.study == "perturbation"]
    assert list(shown.setting.unique()) == ["select [2]", "perturb {2}"]
    assert list(cells.setting[cells.study == "selection"].unique()) == ["select [2]"]


def test_labels_contain_size_and_noise_where_the_name_does_not(results):
    rows = results[(results.setting == "select [2]") & (results.seed == 0)]
    several = [rows, rows.assign(encoding_size=2), rows.assign(noise_probability=0.5)]
    labels = setting_labels(aggregate_seeds(pd.concat(several)))
    assert set(labels) == {
        "select [2], p 0.75",
        "select [2], size 2, p 0.75",
        "select [2], p 0.5",
    }
    assert set(setting_labels(aggregate_seeds(rows))) == {"select [2]"}


def test_the_summary_fits_a_terminal_and_shows_measured_and_attainable(results):
    lines = summary(aggregate_seeds(results)).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "R² by mlp"
    assert lines[2] == ("select [10], independent semantics, size 1, noise probability 0.75")
    assert lines[3].split() == ["image", ".91", ".11", ".11", ".11", ".11", ".91"]
    assert lines[5].split() == ["attainable", "1.0", ".00", ".00", ".00", ".00", "1.0"]


@pytest.mark.parametrize(
    ("score", "text"), [(-0.2, ".00"), (0.984, ".98"), (0.999, "1.0"), (2, "1.0")]
)
def test_scores_are_printed_in_three_characters(score, text):
    assert brief(score) == text


def test_the_figure_is_written_as_png_and_pdf(results, tmp_path):
    dependent = results.assign(dependence="dependent")
    save_scores(aggregate_seeds(pd.concat([results, dependent])), tmp_path / "figures", "", "mlp")
    assert (tmp_path / "figures" / "r2.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figures" / "r2.pdf").read_bytes().startswith(b"%PDF")


def test_a_nan_score_is_read_back_and_stays_nan_in_tables(results, tmp_path):
    results.loc[(results.target == "s1") & (results.seed == 1), "value"] = np.nan
    results.to_csv(tmp_path / "results.csv", index=False)
    read = read_results(tmp_path / "results.csv")
    assert np.isnan(distance_from_theory(read)["least kept"]).all()
    cells = aggregate_seeds(read)
    assert cells["mean"][cells.target == "s1"].isna().all()
    assert "nan" in summary(aggregate_seeds(read))


def test_settings_that_differ_by_noise_probability_are_not_averaged(results):
    other = results.assign(noise_probability=0.25, value=0.0)
    cells = aggregate_seeds(pd.concat([results, other]))
    assert len(cells[(cells.modality == "x") & (cells.target == "s1")]) == 4


def test_lanes_with_estimated_sizes_are_compared_with_theory(results):
    begun = results.assign(encoding_size=9)
    assert distance_from_theory(begun).empty
    selected = distance_from_theory(begun, estimated=True)
    pd.testing.assert_frame_equal(selected, distance_from_theory(results))


def test_notes_on_sizes_count_the_lanes_with_the_right_number(results):
    assert size_notes(results) == []
    begun = results.assign(encoding_size=9)
    counts = begun.drop_duplicates(["setting", "seed"]).assign(metric="count", attainable=1.0)
    partial = begun[begun.target == "s2"].assign(metric="partial_r2")
    counts = counts.assign(value=[1.0, 1.0, 2.0, 1.0])
    right, largest = size_notes(pd.concat([begun, counts, partial]))
    assert right.startswith("3 of 4 lanes")
    assert largest.endswith("mlp from texts 0.110, mlp from images 0.110")


def test_lanes_that_differ_in_a_hyperparameter_are_not_averaged(results):
    lanes = [
        results.assign(learning_rate=0.001, temperature=1.0, steps=6),
        results.assign(learning_rate=0.01, temperature=1.0, steps=6, value=0.0),
    ]
    cells = aggregate_seeds(pd.concat(lanes, ignore_index=True))
    assert len(cells[(cells.modality == "x") & (cells.target == "s1")]) == 4
    assert {"temperature", "steps"}.isdisjoint(cells)
    assert set(setting_labels(cells)) == {
        f"select [{k}], learning rate {rate}" for k in (10, 2) for rate in (0.001, 0.01)
    }
    assert "size 1, noise probability 0.75, learning\n  rate 0.01" in summary(cells)
    least = distance_from_theory(pd.concat(lanes))["least kept"]
    np.testing.assert_allclose(least, [0.9, 0.0])
    assert least.index.names == ["probe", "dependence", "learning_rate"]


def test_hyperparameters_that_the_name_of_a_setting_determines_change_no_table(results):
    columns = dict(learning_rate=0.01, temperature=1.0, clip_norm=2.0, weight_decay=0.0)
    by_setting = results.setting.map({"select [10]": 6, "select [2]": 10})
    lanes = results.assign(**columns, steps=by_setting)
    pd.testing.assert_frame_equal(aggregate_seeds(lanes), aggregate_seeds(results))
    pd.testing.assert_frame_equal(distance_from_theory(lanes), distance_from_theory(results))
    assert summary(aggregate_seeds(lanes)) == summary(aggregate_seeds(results))


def test_cells_of_chosen_worlds_are_apart(results):
    """Without a choice every seed has its world, and cells are means over both."""
    by_seed = aggregate_seeds(results.assign(world_seed=results.seed))
    pd.testing.assert_frame_equal(by_seed, aggregate_seeds(results))
    fixed = aggregate_seeds(results.assign(world_seed=7))
    assert set(fixed.world_seed) == {7}
    pd.testing.assert_frame_equal(fixed.drop(columns="world_seed"), by_seed)
    assert not setting_labels(fixed).str.contains("world").any()
    two = aggregate_seeds(pd.concat([results.assign(world_seed=world) for world in (7, 8)]))
    assert len(two) == 2 * len(by_seed)
    assert set(two.seeds) == set(by_seed.seeds)
    assert setting_labels(two).str.contains(r", world seed [78]$").all()
