"""Steps: the cost of a training step by recipe, and its growth with lanes, batch and width."""

from functools import cache, partial

import jax
from ml_collections import ConfigDict

from experiments.benchmark.measurement.cases import Case, Ladder, first_state, prepare_sweep
from experiments.benchmark.sizes import Sizes
from experiments.configs import default, scenes_small, selection
from experiments.sweep.plan import make_plan
from mmcl.optimizers.registry import OPTIMIZERS

CYCLE = 20  # steps in a call: whole cycles of the periodic work of SOAP and of Muon
LARGE_STEPS = ("paper", "resnet")  # recipes of which a call is one step
IMAGES = 1024  # rendered for steps on images
LANE_STEP = "batch 256, widths 128"


def step(sizes: Sizes) -> list[Ladder]:
    """Returns ladders of a training step by each recipe, against lanes."""
    load_images = cache(
        lambda: make_plan(image_config(1, "patches")).domain.load(lambda fraction: None)
    )
    ladders = [_shared_state_ladder("fast", [numeric_config(n, "fast") for n in sizes.lanes])]
    for name in sizes.recipes:
        make_config, load = (
            (numeric_config, tuple) if name == "paper" else (image_config, load_images)
        )
        steps = 1 if name in LARGE_STEPS else CYCLE
        configs = [make_config(lanes, name) for lanes in sizes.few_lanes]
        ladders.append(_shared_state_ladder(name, configs, load, steps))
    return ladders


def _shared_state_ladder(name, configs, load=tuple, steps=CYCLE) -> Ladder:
    """Returns cases whose lanes have the same initial state, which is made once."""
    plans = [make_plan(config) for config in configs]
    make_state = cache(partial(first_state, plans[0], load))
    return [
        Case(
            name,
            plan.recipe.batch,
            len(plan.lanes),
            partial(prepare_sweep, plan, load, make_state, steps),
        )
        for plan in plans
    ]


def growth(sizes: Sizes) -> list[Ladder]:
    """Returns ladders of a training step by `fast` against batch, width and number of semantics.

    Each device trains one lane. The last ladders are a step at LANE_STEP by each optimiser.
    """
    lanes = jax.device_count()

    def case(name, size, config):
        plan = make_plan(config)
        make_state = partial(first_state, plan, tuple)
        prepare = partial(prepare_sweep, plan, tuple, make_state, CYCLE)
        return Case(name, size, len(plan.lanes), prepare)

    def small_step(optimizer):
        changes = {"batch": 256, "widths": (128,) * 3, "optimizer": optimizer}
        config = numeric_config(sizes.peer_lanes, "fast", **changes)
        return case(f"{LANE_STEP}, {optimizer}", 256, config)

    by_batch = [numeric_config(lanes, "fast", batch=batch) for batch in sizes.growth_batches]
    by_width = lambda width: numeric_config(lanes, "fast", widths=(width,) * 3)
    by_semantics = lambda count: numeric_config(lanes, "fast", semantics=count)
    return [
        _shared_state_ladder("batch", by_batch),
        [case("width", width, by_width(width)) for width in sizes.growth_widths],
        [case("semantics", count, by_semantics(count)) for count in sizes.growth_semantics],
        *([small_step(optimizer)] for optimizer in OPTIMIZERS),
    ]


def numeric_config(lanes: int, recipe: str, semantics: int = 10, **changes) -> ConfigDict:
    """Returns a config of the numerical study with one setting and one seed per lane.

    changes: fields of the recipe.
    """
    config = selection.get_config(recipe)
    config.world.semantics = semantics
    config.settings = (default.setting(default.first(3)),)
    config.seeds = lanes
    config.recipe.update(changes)
    return config


def image_config(lanes: int, recipe: str) -> ConfigDict:
    """Returns a config of rendered scenes with one setting and one seed per lane."""
    config = scenes_small.get_config(recipe)
    config.settings = config.settings[:1]
    config.seeds = lanes
    config.world.images = IMAGES
    return config
