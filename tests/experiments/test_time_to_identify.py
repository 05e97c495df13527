import pytest

from experiments.sweep.plan import make_plan
from experiments.time_to_identify import identified_table, identify
from tests.small import small_config


def plan_with_scores(*scores):
    """Two lanes that keep s1; a score a monitor: of lane 0, of lane 1, of lane 0, ..."""
    told = iter(scores)
    row = lambda monitor: {"x_s1": next(told), "t_s1": 0.97, "x_s2": 0.0, "t_s2": 0.0}
    plan = make_plan(small_config())
    return plan._replace(domain=plan.domain._replace(monitor_row=row), log_every=1, lengths=(4, 4))


def test_lanes_are_identified_when_all_that_is_kept_is_there():
    """At the first monitor that passes; a later one changes nothing, and the last lane ends it."""
    shown = []
    found = identify(plan_with_scores(0.5, 0.94, 0.96, 0.2, 0.1, 0.95), lambda *t: shown.append(t))
    assert [one.steps for one in found] == [2, 3]
    assert 0 < found[0].seconds < found[1].seconds
    assert [note for _, _, note in shown if "of 2" in note] == [
        f"{count} of 2 lanes identified" for count in (0, 1, 2)
    ]
    assert identified_table(found).steps.tolist() == [2, 3]


def test_a_lane_that_never_is_has_no_time():
    found = identify(plan_with_scores(*[0.96, 0.1] * 4), lambda *told: None)
    assert [one.steps for one in found] == [1, None]
    assert identified_table(found).isna().any(axis=1).tolist() == [False, True]


@pytest.mark.parametrize("text", [0.94, 0.96])
def test_texts_count_too(text):
    plan = plan_with_scores()
    row = lambda monitor: {"x_s1": 1.0, "t_s1": text}
    plan = plan._replace(domain=plan.domain._replace(monitor_row=row), lengths=(1, 1))
    assert [one.steps for one in identify(plan, lambda *t: None)] == [
        1 if text > 0.95 else None
    ] * 2
