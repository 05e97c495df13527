"""A supervised reading of small rendered scenes."""

import jax
import pytest

from experiments.supervised import supervised_scores
from experiments.sweep.plan import make_plan
from tests.experiments.domains.test_scenes_run import scenes_config
from tests.small import small_config


@pytest.mark.slow
def test_a_network_that_is_told_the_truth_reads_places_and_the_background():
    config = scenes_config(**{"recipe.steps": 300, "log_every": 125, "recipe.learning_rate": 0.02})
    plan, shown = make_plan(config), []
    pictures = plan.domain.load(lambda share: None)
    readings = supervised_scores(
        plan, pictures, jax.random.key(0), lambda *told: shown.append(told)
    )
    scores = {reading.target: reading.value for reading in readings}
    assert [reading.metric for reading in readings] == ["matthews"] * 3 + ["r2"] * 7
    assert list(scores)[:4] == ["shape", "x_pos", "y_pos", "s_pos"]
    assert min(scores["x_pos"], scores["y_pos"]) > 0.3 and scores["b_color"] > 0.8
    assert [share for _, share, _ in shown] == [125 / 300, 250 / 300, 1.0]


def test_latents_without_images_are_refused():
    plan = make_plan(small_config())
    with pytest.raises(ValueError, match="domain has no images"):
        supervised_scores(plan, (), jax.random.key(0), print)
