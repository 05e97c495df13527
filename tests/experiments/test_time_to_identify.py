from dataclasses import replace

import pytest

from experiments.domains import latent_rows
from experiments.report.terminal_tables import WIDTH, table_text
from experiments.sweep.plan import make_plan
from experiments.time_to_identify import Identified, identified_table, identify, table_columns
from tests.small import small_config


def identified(monkeypatch, monitor_row, steps, show=lambda *shown: None):
    """Returns when two lanes that keep s1 are identified, with made-up columns of `history.csv`."""
    monkeypatch.setattr(latent_rows, "monitor_row", monitor_row)
    plan = make_plan(small_config())._replace(log_every=1, lane_steps=(steps, steps))
    return identify(plan, show)


def made_up(*scores):
    """Returns a `monitor_row` with these scores of lane 0, lane 1, lane 0, ..."""
    values = iter(scores)
    return lambda scores: {"x_s1": next(values), "t_s1": 0.97, "x_s2": 0.0, "t_s2": 0.0}


def test_a_lane_is_identified_at_the_first_point_where_every_kept_score_is_high(monkeypatch):
    """A later point has no effect, and training ends with the last lane."""
    shown = []
    rows = made_up(0.5, 0.94, 0.96, 0.2, 0.1, 0.95)
    found = identified(monkeypatch, rows, 4, lambda *entry: shown.append(entry))
    assert [entry.steps for entry in found] == [2, 3]
    assert 0 < found[0].seconds < found[1].seconds
    assert [note for _, _, note in shown if "of 2" in note] == [
        f"{count} of 2 lanes identified" for count in (0, 1, 2)
    ]
    assert identified_table(found).steps.tolist() == [2, 3]


def test_a_lane_that_is_never_identified_has_no_time(monkeypatch):
    found = identified(monkeypatch, made_up(*[0.96, 0.1] * 4), 4)
    assert [entry.steps for entry in found] == [1, None]
    assert identified_table(found).isna().any(axis=1).tolist() == [False, True]


@pytest.mark.parametrize("text", [0.94, 0.96])
def test_scores_from_texts_count_too(monkeypatch, text):
    found = identified(monkeypatch, lambda scores: {"x_s1": 1.0, "t_s1": text}, 1)
    assert [entry.steps for entry in found] == [1 if text > 0.95 else None] * 2


def test_the_table_fits_80_columns_and_names_lanes_that_are_never_identified():
    (lane, other) = make_plan(small_config()).lanes
    long = replace(lane, setting="select {" + ", ".join(f"s{index}" for index in range(40)) + "}")
    table = identified_table([Identified(long, 1200, 3.25), Identified(other, None, None)])
    lines = table_text(table_columns(table), keys=4).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert any(line.endswith("1200      3.2") for line in lines)
    assert any(line.endswith("never    never") for line in lines)
