"""Best: the hyperparameters that trained each setting best, from made-up results."""

import sys

import pandas as pd
import pytest

from experiments.best import SCORES, best, main
from experiments.configs import default
from experiments.domains.latent_rows import score_rows
from experiments.rundir.claim import claim
from experiments.rundir.lane_identity import lane_columns
from experiments.rundir.results import add_results, results_table
from experiments.sweep.plan import make_plan
from tests.experiments.rundir.test_results import fake_scores
from tests.small import small_config

KEPT = {1e-4: (0.9, 0.1), 1e-2: (0.6, 0.8)}  # scores of s1 by learning rate and seed


def write_tables(directory, lanes, statuses):
    """Writes tables with the scores of KEPT, 0 for other targets, and losses of -100 times rate."""
    numbered = dict(enumerate(lanes))
    scores = [fake_scores()] * len(lanes)
    rows = results_table(numbered, scores, statuses, score_rows)
    kept = [KEPT[rate][seed] for rate, seed in zip(rows.learning_rate, rows.seed, strict=True)]
    is_kept = rows.target == "s1"
    values = pd.Series(kept, rows.index).where(is_kept, 0.0).where(rows.value.notna())
    rows = rows.assign(value=values, attainable=is_kept.astype(float))
    add_results(directory / "results.csv", rows)
    steps = [
        {"step": step, **lane_columns(number, lane), "loss": -100 * lane.learning_rate * step / 6}
        for step in (3, 6)
        for number, lane in numbered.items()
    ]
    pd.DataFrame(steps).to_csv(directory / "history.csv", index=False)


@pytest.fixture
def lanes(tmp_path):
    settings = default.grid((default.setting("s1"),), learning_rate=tuple(KEPT))
    config = small_config(settings=settings, seeds=2)
    lanes = make_plan(config).lanes
    claim(tmp_path, config, lanes)
    write_tables(tmp_path, lanes, ["ok"] * len(lanes))
    return lanes


@pytest.mark.usefixtures("lanes")
@pytest.mark.parametrize("by", SCORES)
def test_the_best_lanes_have_the_best_mean_over_seeds(tmp_path, by):
    table = best(tmp_path, by)
    assert list(table) == ["label", "learning_rate", "seeds", *SCORES]
    (row,) = table.itertuples()
    assert (row.label, row.seeds) == ("select [1]", 2)
    if by != "most_leaked":  # which is equal
        assert row.learning_rate == 1e-2
        assert (row.least_kept, row.loss) == pytest.approx((0.7, -1))


def test_lanes_that_diverged_are_never_best(tmp_path, lanes):
    (tmp_path / "results.csv").unlink()
    diverged = ["ok", "ok", "ok", "diverged at step 2"]
    write_tables(tmp_path, lanes, diverged)
    assert lanes[3].learning_rate == 1e-2
    assert best(tmp_path, "least_kept").learning_rate.tolist() == [1e-4]
    write_tables(tmp_path, lanes, ["diverged at step 2"] * 4)
    assert best(tmp_path, "loss")[[*SCORES]].isna().all(axis=None)


@pytest.mark.usefixtures("lanes")
def test_the_command_prints_the_hyperparameters_that_differ(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["best", str(tmp_path)])
    main()
    header, line = capsys.readouterr().out.splitlines()[:2]
    assert header.split()[:3] == ["label", "learning_rate", "seeds"]
    assert line.split()[:4] == ["select", "[1]", "0.01", "2"]


def test_a_directory_without_scores_is_refused(tmp_path):
    with pytest.raises(ValueError, match="is not a run directory"):
        best(tmp_path, "loss")
    claim(tmp_path, small_config(), make_plan(small_config()).lanes)
    with pytest.raises(ValueError, match="has no scores yet"):
        best(tmp_path, "loss")
