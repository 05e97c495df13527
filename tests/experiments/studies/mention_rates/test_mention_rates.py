"""Mention rates: captions of a run audited, predicted and scored."""

import json

import numpy as np
import pandas as pd
import pytest

from experiments.audit import __main__ as audit_command
from experiments.configs import default, mention_rates
from experiments.configs.cards import LAWS
from experiments.rundir.claim import claim
from experiments.studies.mention_rates.__main__ import main
from experiments.studies.mention_rates.comparison import POINTS, WITHIN, cells, correlations
from experiments.studies.mention_rates.mention_table import (
    EXACT,
    SPARE,
    check_run,
    predicted_score,
)
from experiments.sweep.plan import lanes_of, make_plan
from experiments.zero_shot.group_scores import score_group
from experiments.zero_shot.lane_groups import lane_groups
from tests.experiments.domains.test_captioned import card_config
from tests.lvm.datasets.test_cards import deck, write_zip
from tests.runs import run

CAPTIONS = 1000


def omitting(size, **fields):
    return default.setting(
        "number color", "color", encoding_size=size, misalignment="mcar", **fields, **LAWS
    )


@pytest.fixture(scope="module")
def cards_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mention_rates")
    config = card_config(write_zip(folder / "cards.zip", deck(sessions=6)))
    config.settings = (
        default.setting("number color", **LAWS),
        default.setting("number", encoding_size=1, **LAWS),
        omitting(1, noise_probability=0.25),
        omitting(2, noise_probability=0.75),
    )
    run(folder / "cards", config)
    return folder / "cards"


@pytest.fixture(scope="module")
def table(cards_run):
    path = cards_run.parent / "scores.csv"
    figure = path.with_suffix(".png")
    main(
        [str(cards_run), "--captions", str(CAPTIONS), "--table", str(path), "--figure", str(figure)]
    )
    assert figure.stat().st_size > 10_000
    return pd.read_csv(path)


def test_measured_rates_are_those_of_the_config(table):
    assert len(table) == 2 * (2 + 1 + 1 + 1)  # the lane that mentions both factors has both columns
    np.testing.assert_allclose(table.mention_rate, table.set_rate, atol=0.05)
    assert ((table.mention_low <= table.set_rate) & (table.set_rate <= table.mention_high)).all()
    assert set(table.factor) == {"number", "color"}


def test_expected_and_predicted_follow_from_the_measured_rate(table):
    color = table[table.factor == "color"].set_index(["columns", "set_rate"])
    assert dict(color.expected) == {
        (EXACT, 1.0): "kept", (SPARE, 1.0): "kept", (EXACT, 0.0): "lost",
        (EXACT, 0.75): "in between", (SPARE, 0.25): "in between",
    }  # fmt: skip
    third = pytest.approx(1 / 3, abs=1e-6)
    assert dict(color.predicted) == {
        (EXACT, 1.0): 1, (SPARE, 1.0): 1, (EXACT, 0.0): third,
        (EXACT, 0.75): third, (SPARE, 0.25): 1,
    }  # fmt: skip


def test_scores_are_those_of_the_zero_shot_command(cards_run, table):
    for lane in (0, 3):
        rows = table[(table.lane == lane) & (table["columns"] == SPARE)].set_index("factor")
        for group in lane_groups(cards_run, lane).groups:
            if group.group in rows.index:
                score = score_group(group, 0).macro_f1
                assert rows.value[group.group] == pytest.approx(score.value, abs=0.02)


def test_the_audit_command_reads_the_files(cards_run, table, tmp_path):
    folder = cards_run / "mention_rates" / "lane_3"
    out = tmp_path / "audit.csv"
    audit_command.main(
        [
            f"--captions={folder / 'captions.txt.gz'}",
            f"--labels={folder / 'labels.csv.gz'}",
            f"--concepts={folder / 'concepts.csv'}",
            f"--out={out}",
        ]
    )
    audited = pd.read_csv(out).set_index("group")
    rows = table[table.lane == 3].set_index("factor")
    for factor in ("number", "color"):
        assert audited.selection_rate[factor] == pytest.approx(rows.mention_rate[factor])
    assert (audited.wrong == 0).all()


def test_the_prediction_is_a_step():
    rates = (0.0, 0.01, 0.99, 1.0)
    assert [predicted_score(EXACT, rate, 0.2) for rate in rates] == [0.2, 0.2, 0.2, 1]
    assert [predicted_score(SPARE, rate, 0.2) for rate in rates] == [0.2, 1, 1, 1]


def made_up(score):
    """Scores of two factors at five rates; the second factor scores lower at every rate."""
    rates = np.linspace(0, 1, 5)
    return pd.DataFrame(
        {
            "run": "cards", "columns": EXACT, "kind": "mcar", "factor": factor,
            "set_rate": rate, "mention_rate": rate, "value": score(rate) / (1 + index),
            "chance": 0.25, "predicted": predicted_score(EXACT, rate, 0.25),
        }
        for index, factor in enumerate(("number", "color"))
        for rate in rates
    )  # fmt: skip


def test_rank_correlations_of_made_up_scores():
    rising = correlations(made_up(lambda rate: 0.2 + 0.8 * rate))
    assert rising["cards", EXACT, WITHIN].value == pytest.approx(1)
    assert 0.5 < rising["cards", EXACT, POINTS].value < 1
    falling = correlations(made_up(lambda rate: 1 - 0.8 * rate))
    assert falling["cards", EXACT, WITHIN].value == pytest.approx(-1)
    assert ("all", EXACT, WITHIN) not in rising  # of several runs alone
    several = pd.concat([made_up(np.sqrt), made_up(np.sqrt).assign(run="scenes")])
    assert correlations(several)["all", EXACT, WITHIN].n == 20


def test_agreement_counts_scores_on_the_predicted_side():
    by_rate = cells(made_up(lambda rate: 0.2 + 0.8 * rate)).set_index("set_rate")
    # at rate 1 number scores 1 and color 0.5; at rate 0.75 number scores 0.8, against prediction
    assert dict(by_rate.as_predicted) == {0: 1, 0.25: 1, 0.5: 1, 0.75: 0.5, 1: 0.5}


@pytest.mark.parametrize("world", mention_rates.WORLDS)
def test_every_factor_is_omitted_at_every_rate_in_both_sizes(world):
    config = mention_rates.get_config(world)
    if world != "scenes":
        config.world.data = "images"
    lanes = make_plan(config).lanes
    full = max(lane.encoding_size for lane in lanes)
    seen = {
        (name, lane.misalignment, lane.noise_probability, lane.encoding_size == full)
        for lane in lanes
        for name in lane.perturbable.split()
    }
    factors = {name for lane in lanes for name in lane.selected.split()}
    assert len(seen) == len(factors) * 3 * len(mention_rates.OMISSION_RATES) * 2


def test_an_unknown_world_is_refused():
    with pytest.raises(ValueError, match="world is 'dice': allowed is one of cards, shapes"):
        mention_rates.get_config("dice")


def refused(arguments, capsys):
    with pytest.raises(SystemExit) as error:
        main(arguments)
    return str(error.value) + capsys.readouterr().err


def test_other_directories_are_refused(finished, cards_run, tmp_path, capsys):
    assert "run of latents" in refused([str(finished[0])], capsys)
    assert "config.json" in refused([str(tmp_path)], capsys)
    assert "allowed are different names" in refused([str(cards_run)] * 2, capsys)
    assert "ends in .csv" in refused([str(cards_run), "--table", "scores.txt"], capsys)
    assert "--captions is 0" in refused([str(cards_run), "--captions", "0"], capsys)


def test_a_run_without_omissions_is_refused(tmp_path):
    config = card_config(write_zip(tmp_path / "cards.zip", deck(sessions=6)))
    claim(tmp_path, config, lanes_of(config))
    with pytest.raises(ValueError, match="no lane with misalignment mcar, mar, mnar"):
        check_run(tmp_path)


def test_an_unfinished_run_is_refused(cards_run, tmp_path):
    content = json.loads((cards_run / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(content))  # the lanes, no checkpoint
    with pytest.raises(ValueError, match="has done 0 of 4 steps: let the run end"):
        check_run(tmp_path)
