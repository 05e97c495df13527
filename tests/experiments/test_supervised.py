"""Supervised scores of small rendered scenes."""

import jax
import pytest

from experiments.supervised import supervised_scores
from experiments.sweep.plan import make_plan
from tests.experiments.domains.test_scenes_run import scenes_config
from tests.small import small_config


@pytest.mark.slow
def test_a_supervised_network_predicts_positions_and_the_background():
    config = scenes_config(**{"recipe.steps": 300, "log_every": 125, "recipe.learning_rate": 0.02})
    plan, shown = make_plan(config), []
    splits = plan.domain.load(lambda fraction: None)
    scores = supervised_scores(plan, splits, jax.random.key(0), lambda *entry: shown.append(entry))
    values = {score.target: score.value for score in scores}
    assert [score.metric for score in scores] == ["matthews"] * 3 + ["r2"] * 7
    assert list(values)[:4] == ["shape", "x_pos", "y_pos", "s_pos"]
    assert min(values["x_pos"], values["y_pos"]) > 0.3 and values["b_color"] > 0.8
    assert [fraction for _, fraction, _ in shown] == [125 / 300, 250 / 300, 1.0]


def test_latents_without_images_are_refused():
    plan = make_plan(small_config())
    with pytest.raises(ValueError, match="domain has no images"):
        supervised_scores(plan, (), jax.random.key(0), print)
