"""Status of lanes, judged by their losses."""

import pandas as pd
import pytest

import mmcl
from experiments.sweep.lane_status import lane_statuses, usual_reason
from experiments.sweep.plan import make_plan
from tests.small import small_config


@pytest.fixture(scope="module")
def plan():
    return make_plan(small_config())


def statuses(plan, losses, failed_at=(-1, -1)):
    """Statuses of lanes 3 and 4, whose losses at steps 2, 4, 6 are given."""
    rows = [
        (lane, step, loss)
        for lane in losses
        for step, loss in zip((2, 4, 6), losses[lane], strict=True)
    ]
    history = pd.DataFrame(rows, columns=["lane", "step", "loss"])
    return lane_statuses(plan, [3, 4], failed_at, history)


def test_a_loss_below_that_of_constant_representations_is_ok(plan):
    assert statuses(plan, {3: [0.5, -0.1, 0.2], 4: [-1.0, -2.0, -3.0]}) == ["ok", "ok"]


def test_a_loss_that_runs_away_is_suspect_from_its_first_point(plan):
    first, second = statuses(plan, {3: [-1.0, -5.7e6, -2.0], 4: [-1.0, -2.0, 2e3]})
    assert first == "suspect: loss ran away at step 4"
    assert second == "suspect: loss ran away at step 6"
    assert "temperature" in usual_reason(first)


def test_a_loss_never_below_that_of_constant_representations_is_suspect(plan):
    first, second = statuses(plan, {3: [0.5, -1e-6, 0.2], 4: [-1.0, 2.0, 2.0]})
    assert (first, second) == (
        "suspect: loss never below that of constant representations", "ok"
    )  # fmt: skip
    assert "steps" in usual_reason(first)


def test_a_lane_whose_history_was_lost_is_not_judged(plan):
    assert statuses(plan, {3: [0.5, 0.1, 0.2]})[1] == "ok"


def test_a_lane_that_diverged_says_when(plan):
    first, second = statuses(plan, {3: [-1.0, float("nan"), float("nan")], 4: [-1.0] * 3}, (3, -1))
    assert (first, second) == ("diverged at step 3", "ok")
    assert "learning rate" in usual_reason(first)
    assert usual_reason(second) == ""


def test_every_objective_has_a_finite_loss_of_constant_representations():
    for name in mmcl.OBJECTIVES:
        recipe = mmcl.Recipe(outputs=3, objective=name, batch=32, group=32)
        loss = mmcl.constant_loss(recipe, mmcl.Hyperparameters())
        assert abs(float(loss)) < 1000, name
