import importlib
from collections import Counter

import numpy as np
import pandas as pd
import pytest

import lvm
from experiments.configs import adaptive, default, paper_numeric, recipes, scenes_small
from experiments.report.tables import study_names
from experiments.rundir.lane_identity import HYPERPARAMETERS
from experiments.sweep.plan import make_plan, select_lanes
from experiments.sweep.settings import lane_bias
from tests.small import small_config

STUDIES = (
    "encoding_size",
    "misalignment",
    "paper_numeric",
    "perturbation",
    "quickstart",
    "random_subsets",
    "selection",
    "spare_dimensions",
)


SETTING = default.setting("s1").to_dict()


def with_setting(**changes):
    setting = default.setting("s1 s2", "s2")
    setting.update(changes)
    return {"settings": (default.setting("s1"), setting)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (with_setting(selected="", perturbable=""), r"settings\[1\].selected is empty"),
        (with_setting(perturbable="s3"), r"settings\[1\].perturbable \[3\] is not selected"),
        (with_setting(perturbable="s1 s2"), r"settings\[1\].perturbable equals selected"),
        (with_setting(selected="s4"), r"settings\[1\].selected holds 's4': allowed is s1 to s3"),
        (with_setting(encoding_size=0), r"settings\[1\].encoding_size is 0: allowed is 1..3"),
        (with_setting(encoding_size=-2), r"encoding_size is -2: allowed is 1..3"),
        (with_setting(encoding_size=4), r"encoding_size is 4: allowed is 1..3"),
        (with_setting(noise_probability=1.5), "noise_probability is 1.5: allowed is 0 to 1"),
        (with_setting(noise_probability=-0.1), "noise_probability is -0.1: allowed is 0 to 1"),
        (with_setting(dependence="wishart"), "dependence is 'wishart': allowed is one of"),
        (
            with_setting(selected="s1", perturbable=""),
            "settings holds select .1., independent twice",
        ),
        (
            {"settings": (default.setting("s1", encoding_size=0),)},
            r"settings\[0\].encoding_size is 0: allowed is 1..3",
        ),
        (
            {"settings": (default.setting("s1 s2"), default.setting("s2 s1"))},
            "settings holds select .2., independent twice",
        ),
        ({"settings": ()}, r"settings is \(\): allowed are one or more settings"),
        ({"settings": (3,)}, r"settings\[0\] is 3: allowed is a setting, as `default.setting`"),
        ({"only": (3,)}, "only holds 3: allowed are names of settings"),
        ({"seeds": 0}, "seeds is 0: allowed is 1 or more"),
        ({"min_encoding_size": 0}, "min_encoding_size is 0: allowed is 1 or more"),
        ({"min_encoding_size": 4}, r"settings\[0\].encoding_size is 4: allowed is 1..3"),
        ({"recipe.steps": 0}, "recipe.steps is 0: allowed is 1 or more"),
        ({"recipe.steps": -5}, "recipe.steps is -5: allowed is 1 or more"),
        ({"recipe.learning_rate": 0.0}, "recipe.learning_rate is 0.0: allowed is a number above 0"),
        ({"recipe.temperature": -1.0}, "recipe.temperature is -1.0: allowed is a number above 0"),
        ({"recipe.clip_norm": float("nan")}, "recipe.clip_norm is nan: allowed is a number above"),
        ({"recipe.warmup": -1}, "recipe.warmup is -1: allowed is 0 or more"),
        ({"recipe.batch": 1}, "recipe.batch is 1: allowed is 2 or more"),
        ({"recipe.estimate_size": True, "recipe.steps": 1}, "recipe.steps is 1: allowed is 2 or"),
        (
            {"recipe.estimate_size": True, "recipe.shared_correlation": 1.5},
            "recipe.shared_correlation is 1.5: allowed is 0 to 1",
        ),
        (
            {"recipe.estimate_size": True, "recipe.output_space": "cube"},
            "recipe.output_space is 'cube': allowed is 'free' with estimate_size",
        ),
        ({"recipe.group": 5}, "recipe.group is 5: allowed is a divisor of recipe.batch, 16"),
        ({"recipe.optimizer": "sgd"}, "recipe.optimizer is 'sgd': allowed is one of"),
        ({"world.semantics": 0}, "world.semantics is 0: allowed is 1 or more"),
        ({"evaluation.fit": 1}, "evaluation.fit is 1: allowed is 2 or more"),
        ({"log_every": 0}, "log_every is 0: allowed is 1 or more"),
        ({"save_minutes": 0.0}, "save_minutes is 0.0: allowed is a number above 0"),
        ({"lanes_per_block": 0}, "lanes_per_block is 0: allowed is 1 or more"),
        ({"devices_per_lane": 3}, "devices_per_lane is 3: allowed is a divisor of recipe.batch"),
        ({"evaluation.probes": ("mpl",)}, "evaluation.probes holds 'mpl': allowed is linear, mlp"),
        ({"domain": "latent"}, "domain is 'latent': allowed is one of latents, cards"),
        ({"evaluation.probes": ()}, "evaluation.probes is empty"),
        ({"evaluation.downstream": True}, "evaluation.downstream is True: allowed is False with 3"),
        (
            {"recipe.refine": 0.5, "recipe.objective": "symmetric_infonce"},
            "recipe.refine_from is 3: allowed is None for symmetric_infonce",
        ),
        (with_setting(learning_rate=0.0), "learning_rate is 0.0: allowed is a number above 0"),
        (with_setting(learning_rate=float("nan")), "learning_rate is nan: allowed is a number ab"),
        (with_setting(temperature=-1.0), "temperature is -1.0: allowed is a number above 0"),
        (with_setting(clip_norm=float("inf")), "clip_norm is inf: allowed is a number above 0"),
        (with_setting(weight_decay=-0.1), "weight_decay is -0.1: allowed is a number, 0 or more"),
        (with_setting(world_seed=-1), "world_seed is -1: allowed is an integer, 0 to 2.32 - 1"),
        (with_setting(world_seed=1.5), "world_seed is 1.5: allowed is an integer, 0 to 2.32"),
        ({"world_seed": 2**32}, "world_seed is 4294967296: allowed is an integer, 0 to 2.32 - 1"),
        (with_setting(noise_probability=75), "noise_probability is 75.0: allowed is 0 to 1"),
        (with_setting(noise_probability=float("nan")), "noise_probability is nan: allowed is 0 to"),
        (
            {"settings": (default.setting("s1"), default.setting("s1", seed=1)), "seeds": 2},
            "settings holds select .1., independent twice",
        ),
        (with_setting(steps=0), r"settings\[1\].steps is 0: allowed is an integer, 1 or more"),
        (with_setting(batch=8), r"settings\[1\].batch is unknown or missing: allowed is clip_no"),
        ({"recipe.weight_decay": -1.0}, "recipe.weight_decay is -1.0: allowed is a number, 0 or"),
        ({"only": ("dependence=wishart",)}, "allowed is dependence independent, dependent"),
        ({"only": ("batch=8",)}, "only holds 'batch=8': allowed columns are seed, world_seed, set"),
        ({"only": ("temperature=hot",)}, "only holds 'temperature=hot': allowed is temperature 1"),
        ({"only": ("select [1],dependence=dependent",)}, "no lane meets all of these"),
        (
            {"only": ("select [3],seed=0",)},
            r"only holds 'setting=select \[3\]': allowed is setting",
        ),
        ({"only": ("select [3]",)}, r"only holds 'select \[3\]': .* nearest is 'select \[1\]'"),
        (
            {"steps_by_setting": (("select [3]", 9),)},
            r"steps_by_setting holds 'select \[3\]': .* nearest is",
        ),
        (
            {"steps_by_setting": (("select [1]", 0),)},
            r"steps_by_setting holds \('select \[1\]', 0\): allowed is \(set",
        ),
        (
            {"steps_by_setting": ("select [1]", 9)},
            r"steps_by_setting holds 'select \[1\]': allowed is \(setting",
        ),
    ],
)
def test_errors_of_bad_configs_name_field_value_and_allowed_values(changes, message):
    with pytest.raises(ValueError, match=message):
        make_plan(small_config(**changes))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("settings", 3, "settings is 3: allowed is a tuple"),
        ("only", "select [1]", r"only is 'select \[1\]': allowed is a tuple"),
        ("recipe.batch", 16.5, "recipe.batch is 16.5: allowed is an integer"),
        ("recipe.group", 8.0, "recipe.group is 8.0: allowed is an integer"),
        ("recipe.batch", True, "recipe.batch is True: allowed is an integer"),
        ("recipe.widths", 16, "recipe.widths is 16: allowed is a tuple of integers"),
        ("recipe.widths", (16.5, 16), r"recipe.widths is \(16.5, 16\): allowed is a tuple of int"),
        ("recipe.text_widths", 1.5, "recipe.text_widths is 1.5: allowed is a tuple of integers"),
        ("recipe.learning_rate", "1", "recipe.learning_rate is '1': allowed is a number above 0"),
        ("recipe.refine", None, "recipe.refine is None: allowed is 0 to 1"),
        ("seeds", 1.5, "seeds is 1.5: allowed is an integer"),
        ("world.semantics", 2.5, "world.semantics is 2.5: allowed is an integer"),
        ("settings", (SETTING | {"selected": 3},), r"settings\[0\].selected is 3: allowed is text"),
        ("settings", (SETTING | {"encoding_size": 1.5},), "encoding_size is 1.5: allowed is an"),
        ("settings", (SETTING | {"noise_probability": "a"},), "noise_probability is 'a': allowed"),
        ("settings", (SETTING | {"learning_rate": "a"},), "learning_rate is 'a': allowed is a num"),
        (
            "settings",
            (SETTING | {"temperature": True},),
            "temperature is True: allowed is a number",
        ),
        ("settings", (SETTING | {"clip_norm": None},), "clip_norm is None: allowed is a number"),
        (
            "settings",
            (SETTING | {"weight_decay": ()},),
            r"weight_decay is \(\): allowed is a number",
        ),
        ("settings", (SETTING | {"steps": 9.0},), "steps is 9.0: allowed is an integer, 1 or more"),
    ],
)
@pytest.mark.usefixtures("unchecked_types")
def test_a_value_of_another_type_in_a_file_is_refused(field, value, message):
    """A file can give a field any type; the command line only that of the default."""
    config = small_config().unlock()
    with config.ignore_type():
        config.update_from_flattened_dict({field: value})
    with pytest.raises(ValueError, match=message):
        make_plan(config)


def test_widths_may_be_a_list_as_in_a_config_of_a_run():
    config = small_config()
    with config.ignore_type():
        config.recipe.widths = [8, 8]
    assert make_plan(config).recipe.widths == (8, 8)


def test_lanes_are_all_settings_with_every_seed():
    plan = make_plan(small_config(seeds=3))
    assert [(lane.seed, lane.setting) for lane in plan.lanes[:4]] == [
        (0, "select [1]"),
        (0, "select [2] perturb {2}"),
        (1, "select [1]"),
        (1, "select [2] perturb {2}"),
    ]
    np.testing.assert_array_equal(plan.data.seed, [0, 0, 1, 1, 2, 2])
    assert plan.data.hyper.dimensions.shape == (6, 3)


def test_encoding_size_is_the_number_of_unbiased_semantics_unless_given():
    assert [lane.encoding_size for lane in make_plan(small_config()).lanes] == [1, 1]
    wide = make_plan(small_config(**with_setting(encoding_size=3)))
    assert wide.lanes[1].encoding_size == 3
    np.testing.assert_array_equal(wide.data.hyper.dimensions[1], [True] * 3)
    least = make_plan(small_config(min_encoding_size=2, **with_setting(encoding_size=1)))
    assert [lane.encoding_size for lane in least.lanes] == [2, 1]


@pytest.mark.parametrize("recipe", ["fast", "paper"])
@pytest.mark.parametrize("name", STUDIES)
def test_every_config_makes_a_plan(name, recipe):
    module = importlib.import_module(f"experiments.configs.{name}")
    plan = make_plan(module.get_config(recipe))
    assert plan.recipes[0].batch == recipes.RECIPES[recipe]().batch
    with pytest.raises(AttributeError, match="recipes"):
        module.get_config(recipe).recipes = 1


def test_the_plan_of_the_papers_numerical_section():
    plan = make_plan(paper_numeric.get_config())
    assert Counter(plan.lane_steps) == {7000: 114, 10_000: 12}
    assert set(make_plan(paper_numeric.get_config("paper")).lane_steps) == {100_000}
    lanes = plan.lanes
    assert Counter(study_names(pd.DataFrame(lanes))) == {
        "selection": 60,
        "perturbation": 54,
        "encoding size": 6,
        "joint": 6,
    }


def test_only_restricts_the_lanes_to_some_settings():
    lanes = make_plan(small_config(only=("select [1]",), seeds=2)).lanes
    assert [(lane.setting, lane.seed) for lane in lanes] == [("select [1]", 0), ("select [1]", 1)]


def test_a_setting_with_its_own_number_of_steps():
    """Its lanes come last, are refined in a fraction of their own steps, and run separately."""
    plan = make_plan(
        small_config(steps_by_setting=(("select [1]", 40),), seeds=2, **{"recipe.refine": 0.5})
    )
    assert [lane.setting for lane in plan.lanes] == ["select [2] perturb {2}"] * 2 + [
        "select [1]"
    ] * 2
    assert plan.lane_steps == (6, 6, 40, 40)
    assert [recipe.refine_from for recipe in plan.recipes] == [3, 3, 20, 20]
    np.testing.assert_array_equal(plan.data.hyper.schedule.decay_end, [3, 3, 20, 20])
    np.testing.assert_array_equal(plan.data.hyper.schedule.end_steps, [3, 3, 20, 20])
    assert select_lanes(plan, [2, 3]).steps == 40
    with pytest.raises(ValueError, match="lanes have different steps, by settings or steps_by"):
        _ = plan.recipe


def test_hyperparameters_of_settings_and_of_the_recipe():
    """A setting gives some of them; its steps have priority over those by name."""
    given = dict(learning_rate=1e-3, temperature=2, weight_decay=0.5, steps=9)
    settings = (default.setting("s1"), default.setting("s1", **given))
    plan = make_plan(small_config(settings=settings, steps_by_setting=(("select [1]", 8),)))
    hyper = plan.data.hyper
    np.testing.assert_array_equal(hyper.schedule.peak, np.float32([3e-2, 1e-3]))
    np.testing.assert_array_equal(hyper.temperature, [1, 2])
    np.testing.assert_array_equal(hyper.clip_norm, [2, 2])
    np.testing.assert_array_equal(hyper.weight_decay, [0, 0.5])
    assert plan.lane_steps == (8, 9)
    values = [getattr(plan.lanes[1], name) for name in HYPERPARAMETERS]
    assert values == [1e-3, 2.0, 2.0, 0.5, 9]


def test_a_grid_has_every_setting_with_every_combination():
    settings = (default.setting("s1"), default.setting("s1 s2", "s2", dependence="dependent"))
    combined = default.grid(settings, learning_rate=(1e-3, 1e-2), noise_probability=(0.5, 1.0))
    lanes = make_plan(small_config(settings=combined)).lanes
    assert [
        (lane.selected, lane.dependence, lane.learning_rate, lane.noise_probability)
        for lane in lanes
    ] == [
        (selected, law, rate, probability)
        for selected, law in (("s1", "independent"), ("s1 s2", "dependent"))
        for rate in (1e-3, 1e-2)
        for probability in (0.5, 1.0)
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"batch": (8, 16)}, "grid has the field 'batch': allowed is .*learning_rate, temperatu"),
        ({"temperature": 0.3}, "grid has temperature=0.3: allowed is a tuple of values"),
        ({"temperature": ()}, r"grid has temperature=\(\): allowed is a tuple of values"),
    ],
)
def test_a_grid_over_what_lanes_share_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        default.grid((default.setting("s1"),), **values)


@pytest.mark.parametrize(
    ("only", "numbers"),
    [
        (("dependence=independent",), [0, 1, 2, 3]),
        (("dependence=independent, temperature=0.3",), [0, 2]),
        (("dependence=independent,temperature=3e-1", "setting=select {2, 3}"), [0, 2, 4, 5, 6, 7]),
        (("select {2, 3}",), [4, 5, 6, 7]),
        (("seed=1,setting=select {2, 3},perturbable=none",), [6, 7]),
        (("perturbable=",), [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_only_chooses_lanes_by_columns(only, numbers):
    pairs = (default.setting("s1"), default.setting("s2 s3", dependence="dependent"))
    config = small_config(settings=default.grid(pairs, temperature=(0.3, 1.0)), seeds=2)
    everything = sorted(make_plan(config).lanes, key=lambda lane: lane.setting)
    config.only = only
    chosen = sorted(make_plan(config).lanes, key=lambda lane: lane.setting)
    assert chosen == [everything[number] for number in numbers]


def test_refinement_from_the_first_step():
    plan = make_plan(small_config(**{"recipe.refine": 1.0, "recipe.refine_rate": 0.5}))
    assert plan.recipe.refine_from == 0
    np.testing.assert_array_equal(plan.data.hyper.schedule.decay_end, [0, 0])
    np.testing.assert_array_equal(plan.data.hyper.schedule.end_steps, [6, 6])


def test_the_error_of_an_unknown_recipe_names_the_nearest():
    with pytest.raises(ValueError, match="recipe is 'papr': .* nearest is 'paper'"):
        default.get_config("papr")


def test_studies_are_those_of_the_paper():
    for name, thetas in (
        ("selection", [1, 11, 56, 176, 386, 638, 848, 968, 1013, 1023]),
        ("perturbation", [1023] * 10),
    ):
        module = importlib.import_module(f"experiments.configs.{name}")
        lanes = make_plan(module.get_config()).lanes
        names = tuple(default.first(10).split())
        numbers = [lvm.numbers_of(lane_bias(lane, names)) for lane in lanes]
        rhos = [1] * 10 if name == "selection" else [1, 2, 12, 57, 177, 387, 639, 849, 969, 1014]
        assert numbers == list(zip(thetas, rhos, strict=True)) * 2
        assert [lane.dependence for lane in lanes] == ["independent"] * 10 + ["dependent"] * 10


def test_the_adaptive_study_gives_every_lane_all_columns_but_one_setting():
    lanes = make_plan(adaptive.get_config()).lanes
    sizes = [lane.encoding_size for lane in lanes]
    assert len(lanes) == 126
    assert (sizes.count(10), sizes.count(5)) == (120, 6)


def test_adaptive_scenes_train_twice_with_all_columns():
    plan, once = make_plan(adaptive.get_config("scenes")), make_plan(scenes_small.get_config())
    assert (plan.estimate_size, plan.steps) == (True, 2 * once.steps)
    assert {lane.encoding_size for lane in plan.lanes} == {plan.domain.outputs}
    assert [lane.setting for lane in plan.lanes] == [lane.setting for lane in once.lanes]


def test_the_random_pairs_have_a_world_each():
    lanes = make_plan(adaptive.get_config("random")).lanes
    assert sorted(lane.seed for lane in lanes) == list(range(1000, 1020))
    assert {lane.dependence for lane in lanes} == {"linear_scm"}
    with pytest.raises(ValueError, match="study is 'x': allowed is paper, random, rates, cards"):
        adaptive.get_config("x")


def test_a_setting_with_a_seed_has_one_lane():
    settings = (default.setting("s1"), default.setting("s1 s2", seed=7))
    lanes = make_plan(small_config(settings=settings, seeds=3)).lanes
    assert [(lane.setting, lane.seed) for lane in lanes] == [
        ("select [1]", 0), ("select [2]", 7), ("select [1]", 1), ("select [1]", 2),
    ]  # fmt: skip
    for seed in (-1, 1.5, True):
        settings = (default.setting("s1", seed=seed),)
        with pytest.raises(ValueError, match=r"settings\[0\].seed is .*: allowed is an integer"):
            make_plan(small_config(settings=settings))
