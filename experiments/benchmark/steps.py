"""Steps: what a training step costs, by recipe, and how that grows with lanes, batch and width."""

from functools import cache, partial

import jax
from ml_collections import ConfigDict

from experiments.benchmark.measurement.cases import Case, Ladder, first_state, in_a_sweep
from experiments.benchmark.sizes import Sizes
from experiments.configs import default, scenes_small, selection
from experiments.sweep.plan import make_plan
from mmcl.optimizers.registry import OPTIMIZERS

CYCLE = 20  # steps in a call: whole cycles of the rare work of SOAP and of Muon
LARGE_STEPS = ("paper", "resnet")  # one of them is a call
PICTURES = 1024  # rendered for steps on images
LANE_STEP = "batch 256, widths 128"


def step(sizes: Sizes) -> list[Ladder]:
    """A training step by every recipe against lanes."""
    load = cache(lambda: make_plan(pictured(1, "patches")).domain.load(lambda share: None))
    ladders = [_alike("fast", [numeric(lanes, "fast") for lanes in sizes.lanes])]
    for name in sizes.recipes:
        of, read = (numeric, tuple) if name == "paper" else (pictured, load)
        steps = 1 if name in LARGE_STEPS else CYCLE
        configs = [of(lanes, name) for lanes in sizes.few_lanes]
        ladders.append(_alike(name, configs, read, steps))
    return ladders


def _alike(name, configs, load=tuple, steps=CYCLE) -> Ladder:
    """Cases whose lanes begin alike, so that their state is made once."""
    plans = [make_plan(config) for config in configs]
    begin = cache(partial(first_state, plans[0], load))
    return [_case(name, plan.recipe.batch, plan, begin, load, steps) for plan in plans]


def _case(name, size, plan, begin, load=tuple, steps=CYCLE) -> Case:
    return Case(name, size, len(plan.lanes), partial(in_a_sweep, plan, load, begin, steps))


def growth(sizes: Sizes) -> list[Ladder]:
    """A training step by `fast`, a lane a device, against batch and width; and the lane-step."""
    batches, widths = sizes.growth
    lanes = jax.device_count()

    def case(name, size, config):
        plan = make_plan(config)
        return _case(name, size, plan, partial(first_state, plan, tuple))

    def small(name):
        changes = {"batch": 256, "widths": (128,) * 3, "optimizer": name}
        return case(f"{LANE_STEP}, {name}", 256, numeric(sizes.duel_lanes, "fast", **changes))

    by_width = lambda width: numeric(lanes, "fast", widths=(width,) * 3)
    return [
        _alike("batch", [numeric(lanes, "fast", batch=batch) for batch in batches]),
        [case("width", width, by_width(width)) for width in widths],
        *([small(name)] for name in OPTIMIZERS),
    ]


def numeric(lanes: int, recipe: str, **changes) -> ConfigDict:
    """A config of the numerical study: so many seeds of one setting; changes are to the recipe."""
    config = selection.get_config(recipe)
    config.settings = (default.setting(default.first(3)),)
    config.seeds = lanes
    config.recipe.update(changes)
    return config


def pictured(lanes: int, recipe: str) -> ConfigDict:
    """A config of rendered scenes: so many seeds of one setting."""
    config = scenes_small.get_config(recipe)
    config.settings = config.settings[:1]
    config.seeds = lanes
    config.world.images = PICTURES
    return config
