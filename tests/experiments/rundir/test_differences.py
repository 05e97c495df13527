"""Refusals list the fields that stand in the way, and no others."""

import json

import pytest

from experiments.configs import default
from experiments.rundir.differences import differing_fields, grown_lanes, obstacles
from experiments.sweep.plan import lanes_of
from tests.small import small_config

S1, S2 = small_config().settings
S3 = default.setting("s3")
CONTINUABLE = {"recipe.decay": False}


def found(old, new):
    """The fields that stand in the way of growing a run of `old` to `new`."""
    plain = [json.loads(config.to_json()) for config in (old, new)]
    lines = obstacles(*plain, lanes_of(old), lanes=lanes_of(new), lanes_of=lanes_of)
    return [line.split(":")[0] for line in lines]


@pytest.mark.parametrize(
    ("old", "new", "fields"),
    [
        ({}, {"seeds": 3, "settings": (S3, S1, S2), "only": ()}, []),
        ({}, {"seeds": 3, "recipe.learning_rate": 0.1}, ["recipe.learning_rate"]),
        ({"seeds": 3}, {"seeds": 2, "settings": (S1, S2, S3)}, ["seeds"]),
        ({}, {"seeds": 2, "settings": (S1, S3)}, ["settings[1].dependence"]),
        ({}, {"seeds": 2, "only": ("select [1]",)}, ["only"]),
        ({"only": ("select [1]",)}, {"only": (), "recipe.batch": 32}, ["recipe.batch"]),
        ({}, {"world_seed": 1, "seeds": 2}, ["world_seed"]),
        ({"world_seed": 0}, {"world_seed": None, "seeds": 2}, []),  # seed 0 has world 0
        ({}, {"world.image_only": 3, "save_every": 9}, ["world.image_only"]),
        (
            {},
            {"settings": (S1, S2, S3), "steps_by_setting": (("select {3}", 9),), "seeds": 2},
            [],
        ),
        ({}, {"steps_by_setting": (("select [1]", 9),), "seeds": 2}, ["steps_by_setting[0]"]),
        ({}, {"recipe.steps": 9, "seeds": 2}, ["recipe.steps"]),
        (CONTINUABLE, CONTINUABLE | {"recipe.steps": 9, "seeds": 2}, []),
        (CONTINUABLE, CONTINUABLE | {"recipe.steps": 4, "seeds": 2}, ["recipe.steps"]),
        (CONTINUABLE, CONTINUABLE | {"steps_by_setting": (("select [1]", 9),)}, []),
        (CONTINUABLE, {"recipe.decay": True, "recipe.steps": 9}, ["recipe.decay", "recipe.steps"]),
    ],
)
def test_the_fields_that_stand_in_the_way(old, new, fields):
    names = found(small_config(**old), small_config(**new))
    assert [name for name in names if not name.startswith("settings[1]")] == [
        field for field in fields if not field.startswith("settings[1]")
    ]
    assert any(name.startswith("settings[1]") for name in names) == any(
        field.startswith("settings[1]") for field in fields
    )


def test_lanes_with_more_steps_are_the_same_lanes_once():
    short, long = (lanes_of(small_config(**{"recipe.steps": steps})) for steps in (6, 9))
    assert grown_lanes(short, long, can_continue=True) == list(long)
    assert grown_lanes(short, long, can_continue=False) is None
    assert grown_lanes(long, short, can_continue=True) is None
    assert grown_lanes(short, [*short, *long], can_continue=True) == list(short)
    longest = lanes_of(small_config(**{"recipe.steps": 12}))
    assert grown_lanes([*short, *long], longest, can_continue=True) is None  # two become one
    assert grown_lanes(short, [*long, *longest], can_continue=True) is None  # one becomes two


def test_differences_beyond_lanes():
    configs = [small_config(), small_config(seeds=3, save_every=1, **{"recipe.steps": 9})]
    plain = [json.loads(config.to_json()) for config in configs]
    assert differing_fields(*plain) == ["recipe.steps (6 and 9)"]
