"""Scenes end to end, rendered and from files, a few steps long."""

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

import lvm
from experiments.configs import causal3dident, scenes, scenes_small
from experiments.export import main as export
from experiments.sweep.plan import make_plan
from lvm.scenes.sampler import SHAPES
from tests.runs import run

IMAGE_ONLY = ["alpha", "beta", "gamma"]
SMALL = {"recipe.widths": (8, 8), "recipe.text_widths": (8,), "recipe.batch": 16}
SMALL |= {"recipe.group": 16, "recipe.steps": 4, "recipe.warmup": 2, "log_every": 2}
SMALL |= {"save_every": 4, "evaluation.probes": ("linear",)}
SMALL |= {"recipe.head_widths": (8,), "only": ("select {shape, x_pos, y_pos}", "perturb {b_color}")}


def scenes_config(**changes):
    config = scenes_small.get_config()
    world = {"world.images": 400, "world.resolution": 16, "world.seed": 3}
    config.update_from_flattened_dict({**SMALL, **world, **changes})
    return config


@pytest.fixture(scope="module")
def plan():
    return make_plan(scenes_config())


@pytest.fixture(scope="module")
def shared(plan):
    return plan.domain.load(lambda fraction: None)


@pytest.fixture(scope="module")
def finished_scenes(shared, tmp_path_factory):
    directory = tmp_path_factory.mktemp("finished_scenes")
    return directory, run(directory, scenes_config(), report=True, shared=shared)


def test_images_are_split_in_order_with_their_factors_and_values(shared):
    assert [len(part.images) for part in shared] == [320, 40]
    drawn = jax.device_get(lvm.sample_scenes(jax.random.key(3), 400))
    for part, rows in zip(shared, (slice(320), slice(360, 400)), strict=True):
        np.testing.assert_array_equal(part.factors[:, 0], drawn.shape[rows])
        np.testing.assert_array_equal(part.values[:, 1], drawn.color[rows])
        np.testing.assert_array_equal(part.values[:, 6], drawn.gamma[rows])


def test_results_have_labels_and_values_with_attainable_scores(finished_scenes):
    directory, text = finished_scenes
    results = pd.read_csv(directory / "results.csv", keep_default_na=False)
    of_probe = results[results.probe == "linear"]
    assert len(of_probe) == 2 * 2 * 11  # lanes, modalities, targets
    assert of_probe.target.unique().tolist() == [*scenes.FACTORS, *IMAGE_ONLY, "phrasing"]
    r2 = set(of_probe[of_probe.metric == "r2"].target)
    assert r2 == {*scenes.FACTORS[3:], *IMAGE_ONLY}
    assert "R² or Matthews correlation by linear" in text
    assert (directory / "figures" / "matthews_r2.png").exists()
    attainable = of_probe[of_probe.modality == "x"].set_index(["setting", "target"]).attainable
    attainable = attainable.astype(float)["select {shape, x_pos, y_pos}"]
    assert attainable[["shape", "x_pos", "y_pos"]].min() > 0.95
    assert attainable["color"] > 0.6  # from its position; 0.8 with many images
    assert attainable[["s_pos", "s_color", "b_color", *IMAGE_ONLY]].max() < 0.2


def test_the_history_has_every_target(finished_scenes):
    history = pd.read_csv(finished_scenes[0] / "history.csv")
    assert {f"x_{name}" for name in (*scenes.FACTORS, *IMAGE_ONLY)} <= set(history)


def test_zero_shot_scores_every_factor_of_captions(finished_scenes):
    results = pd.read_csv(finished_scenes[0] / "results.csv", keep_default_na=False)
    assert set(results[results.probe == "zero_shot"].target) == set(scenes.FACTORS)


@pytest.mark.slow
def test_a_folder_of_exported_scenes_has_the_images_that_the_domain_renders(tmp_path):
    folder = tmp_path / "scenes3d"
    export([f"--out={folder}", "--images=20", "--resolution=16", "--seed=3"])
    config = causal3dident.get_config("patches")
    changes = {"world.data": str(folder), "world.height": 16, "world.width": 16}
    config.update_from_flattened_dict({**SMALL, **changes})
    from_disk = make_plan(config).domain.load(lambda fraction: None)
    rendered = make_plan(scenes_config(**{"world.images": 20})).domain.load(lambda fraction: None)
    jax.tree.map(np.testing.assert_array_equal, from_disk, rendered)


@pytest.mark.slow
def test_a_run_trains_on_a_folder_of_exported_scenes(tmp_path):
    export([f"--out={tmp_path / 'scenes3d'}", "--images=100", "--resolution=16", "--seed=3"])
    config = causal3dident.get_config("patches")
    changes = {"world.data": str(tmp_path / "scenes3d"), "world.height": 16, "world.width": 16}
    config.update_from_flattened_dict({**SMALL, **changes})
    run(tmp_path / "run", config)
    results = pd.read_csv(tmp_path / "run" / "results.csv", keep_default_na=False)
    assert set(results.setting) == set(SMALL["only"])
    assert (results.status == "ok").all() and results.value.notna().all()


def test_captions_omit_the_factors_that_their_setting_omits(plan, shared, key):
    data = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), plan.data)
    sample = jax.jit(plan.domain.sample, static_argnums=1)
    pairs = sample(key, 50, shared=shared, world=(), lane=data)
    for text in lvm.sentences(plan.domain.language, np.asarray(pairs.t)):
        words = set(text.split())
        assert words & set(SHAPES)
        assert words & {"left", "center", "right"}
        assert not words & {"northwest", "northeast", "southwest", "southeast", "cyan"}


def test_the_settings_are_those_of_the_paper():
    lanes = make_plan(scenes.get_config()).lanes
    assert [lane.encoding_size for lane in lanes] == [3, 3, 4, 5, 5, 6, 7, 3, 3, 4, 5, 5, 6]
    assert lanes[6].selected == " ".join(scenes.FACTORS)
    assert lanes[7].perturbable == " ".join(scenes.FACTORS[1:])
    assert {lane.noise_probability for lane in lanes[7:]} == {1.0}
    small = make_plan(scenes_small.get_config())
    assert small.recipe.norm_penalty == scenes_small.get_config().recipe.norm_penalty != 0.1
    sizes = [lane.encoding_size for lane in small.lanes]
    assert sizes == [2, 3, 4, 11, 13, 15, 19, 2, 3, 4, 11, 13, 15]


def test_words_shared_by_factors_are_separated_if_configured():
    apart = make_plan(scenes_config(**{"world.disjoint_words": True})).domain
    assert apart.vocabulary > make_plan(scenes_config()).domain.vocabulary


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"world.images": 19}, "world.images is 19: allowed is 20 or more"),
        ({"world.samples": 0}, "world.samples is 0: allowed is 1 or more"),
        ({"world.variant": "mine"}, "variant is 'mine': allowed is one of paper, reference"),
        ({"evaluation.probes": ("logistic",)}, "holds 'logistic': allowed is linear, mlp"),
    ],
)
def test_errors_of_bad_configs_name_field_value_and_allowed_values(changes, message):
    with pytest.raises(ValueError, match=message):
        make_plan(scenes_config(**changes))


def test_the_error_of_a_missing_folder_has_the_next_step():
    with pytest.raises(ValueError, match="world.data is missing: give the folder of the data set"):
        make_plan(causal3dident.get_config())
