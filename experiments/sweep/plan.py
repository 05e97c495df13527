"""Plan: a config, checked and turned into static sizes and lane data before any work starts."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

import mmcl
from experiments.domains import Domain, make_domain
from experiments.domains.domain import LaneData
from experiments.rundir.lane_identity import Lane
from experiments.runtime.checks import (
    require_fraction,
    require_integers,
    require_least,
    require_not_negative,
    require_positive,
)
from experiments.sweep.setting_checks import check_settings
from experiments.sweep.settings import lane_bias, make_lanes
from mmcl.checks import IMAGE_INPUTS, TEXT_INPUTS
from mmcl.encoding_size import SHARED_CORRELATION
from mmcl.recipe import ALLOWED_NAMES

LEAST = {  # dotted config field -> smallest value allowed
    "seeds": 1,
    "min_encoding_size": 1,
    "recipe.steps": 1,
    "log_every": 1,
    "save_every": 1,
    "lanes_per_block": 1,
    "devices_per_lane": 1,
    "recipe.warmup": 0,
    "recipe.batch": 2,
    "recipe.group": 2,
}
WORLD_SIZES = ("semantics", "image_only", "text_only", "mixing_layers", "captions")  # of latents
POSITIVE = (  # dotted config fields that must be above 0
    "recipe.learning_rate",
    "recipe.temperature",
    "recipe.clip_norm",
    "save_minutes",
)
NOT_NEGATIVE = ("recipe.weight_decay",)  # likewise, 0 or more
SHIPPED_ENCODERS = IMAGE_INPUTS | TEXT_INPUTS  # a plugin's may read anything


class Plan(NamedTuple):
    """A sweep: its static choices, and its lanes with their stacked data.

    The position of a lane in `lanes` is its number in the run directory.

    recipes, lane_steps: of the training of each lane; the latter is a number of steps.
    estimate_size:       whether the encoding size is estimated after half of the steps, and the
                         other half trains anew with that size.
    shared_correlation:  smallest correlation between the modalities of a column that is counted.
    log_every:           steps between two points of the history.
    save_every, save_minutes: largest distance between two checkpoints.
    lanes_per_block:     lanes that run together; None for as many as fit.
    devices_per_lane:    devices that share the batch of a lane.
    """

    domain: Domain
    lanes: tuple[Lane, ...]
    recipes: tuple[mmcl.Recipe, ...]
    lane_steps: tuple[int, ...]
    data: LaneData
    estimate_size: bool
    shared_correlation: float
    log_every: int
    save_every: int
    save_minutes: float
    lanes_per_block: int | None
    devices_per_lane: int

    @property
    def recipe(self) -> mmcl.Recipe:
        """The recipe of lanes that train together."""
        return _common(self.recipes)

    @property
    def steps(self) -> int:
        """The steps of lanes that train together; raises ValueError if they differ."""
        return _common(self.lane_steps)

    @property
    def cycle_steps(self) -> int:
        """The steps from initialisation to the end of the schedule."""
        return _cycle_steps(self.estimate_size, self.steps)


def make_plan(config: ConfigDict) -> Plan:
    """Checks a config and returns its plan; no device is used.

    Raises ValueError that names the field, its value and what is allowed.
    """
    _check_numbers(config)
    check_settings(config)
    domain = make_domain(config)
    _check_encoders(config, domain)
    steps = lambda lane: lane.steps
    lanes = sorted(make_lanes(config, domain), key=steps)  # a block has consecutive numbers
    lane_steps = tuple(map(steps, lanes))
    data = [_lane_data(lane, config.recipe, domain) for lane in lanes]
    return Plan(
        domain=domain,
        lanes=tuple(lanes),
        recipes=tuple(_make_recipe(config.recipe, count, domain) for count in lane_steps),
        lane_steps=lane_steps,
        data=jax.tree.map(lambda *leaves: np.stack(leaves), *data),
        estimate_size=_estimates_size(config.recipe),
        shared_correlation=float(config.recipe.get("shared_correlation", SHARED_CORRELATION)),
        log_every=config.log_every,
        save_every=config.save_every,
        save_minutes=config.save_minutes,
        lanes_per_block=config.lanes_per_block,
        devices_per_lane=config.devices_per_lane,
    )


def lanes_of(config: ConfigDict) -> tuple[Lane, ...]:
    """Returns the lanes of a config; raises ValueError as `make_plan` does."""
    return make_plan(config).lanes


def select_lanes(plan: Plan, numbers: Sequence[int]) -> Plan:
    """Returns the plan of some of its lanes, in the order of `numbers`."""
    select = lambda values: tuple(values[number] for number in numbers)
    return plan._replace(
        lanes=select(plan.lanes),
        recipes=select(plan.recipes),
        lane_steps=select(plan.lane_steps),
        data=jax.tree.map(lambda leaf: leaf[np.asarray(numbers)], plan.data),
    )


def lanes_with_steps(plan: Plan, steps: int) -> list[int]:
    """Returns the numbers of the lanes that train for so many steps."""
    return [number for number, count in enumerate(plan.lane_steps) if count == steps]


def order_lanes(plan: Plan, lanes: Sequence[Lane]) -> Plan:
    """Returns the plan with its lanes in the order of `lanes`."""
    return select_lanes(plan, [plan.lanes.index(lane) for lane in lanes])


def _common(values):
    if len(set(values)) > 1:
        raise ValueError(
            "lanes have different steps, by settings or steps_by_setting: allowed is one number "
            "where all lanes train together"
        )
    return values[0]


def _lane_data(lane: Lane, recipe: ConfigDict, domain: Domain) -> LaneData:
    return LaneData(
        seed=np.uint32(lane.seed),
        world_seed=np.uint32(lane.world_seed),
        bias=lane_bias(lane, domain.semantics),
        dependence=np.int32(domain.dependences.index(lane.dependence)),
        noise_law=np.int32(domain.noise_laws.index(lane.noise_law)),
        misalignment=np.int32(domain.misalignments.index(lane.misalignment)),
        noise_probability=np.float32(lane.noise_probability),
        hyper=mmcl.Hyperparameters(
            schedule=_schedule(lane, recipe),
            temperature=np.float32(lane.temperature),
            clip_norm=np.float32(lane.clip_norm),
            dimensions=np.arange(domain.outputs) < lane.encoding_size,
            weight_decay=np.float32(lane.weight_decay),
        ),
    )


def _schedule(lane: Lane, recipe: ConfigDict) -> mmcl.Schedule:
    steps = _cycle_steps(_estimates_size(recipe), lane.steps)
    refine_from = _refine_from(recipe, lane.steps)
    decay_end = steps if refine_from is None else refine_from
    return mmcl.Schedule(
        peak=np.float32(lane.learning_rate),
        warmup=np.float32(recipe.warmup),
        decay_end=np.float32(decay_end if recipe.decay else np.inf),
        floor=np.float32(recipe.refine_rate if recipe.refine else 0.0),
        end_steps=np.float32(steps - decay_end),
    )


def _estimates_size(recipe: ConfigDict) -> bool:
    return recipe.get("estimate_size", False)


def _cycle_steps(estimate_size: bool, steps: int) -> int:
    return steps - steps // 2 if estimate_size else steps


def _refine_from(recipe: ConfigDict, steps: int) -> int | None:
    steps = _cycle_steps(_estimates_size(recipe), steps)
    return round(steps * (1 - recipe.refine)) if recipe.refine else None


def _check_numbers(config: ConfigDict) -> None:
    require_least(config, LEAST)
    require_positive(config, POSITIVE)
    require_not_negative(config, NOT_NEGATIVE)
    require_fraction(config, ["recipe.refine", "recipe.refine_rate"])
    require_integers(config, [f"world.{name}" for name in WORLD_SIZES if name in config.world])
    _check_estimate(config)
    if config.recipe.batch % config.devices_per_lane:
        raise ValueError(
            f"devices_per_lane is {config.devices_per_lane}: allowed is a divisor of recipe.batch, "
            f"{config.recipe.batch}"
        )


def _check_estimate(config: ConfigDict) -> None:
    recipe = config.recipe
    if not isinstance(_estimates_size(recipe), bool):
        raise ValueError(
            f"recipe.estimate_size is {recipe.estimate_size!r}: allowed is True or False"
        )
    if not _estimates_size(recipe):
        return
    require_fraction(config, ["recipe.shared_correlation"])
    require_least(config, {"recipe.steps": 2})
    if recipe.output_space != "free":
        raise ValueError(
            f"recipe.output_space is {recipe.output_space!r}: allowed is 'free' with estimate_size"
        )


def _check_encoders(config: ConfigDict, domain: Domain) -> None:
    """Raises ValueError unless vectors have MLPs, and images and captions other encoders.

    An encoder of a plugin may have either.
    """
    for field in ("image_encoder", "text_encoder"):
        name = config.recipe.get(field, "mlp")
        fitting = [
            choice
            for choice in ALLOWED_NAMES[field]
            if choice not in SHIPPED_ENCODERS or (choice == "mlp") == (not domain.vocabulary)
        ]
        if name not in fitting:
            allowed = ", ".join(fitting)
            raise ValueError(
                f"recipe.{field} is {name!r}: allowed is {allowed} in domain {config.domain!r}"
            )


def _make_recipe(recipe: ConfigDict, steps: int, domain: Domain) -> mmcl.Recipe:
    converted = {
        "outputs": domain.outputs,
        "vocabulary": domain.vocabulary,
        "widths": _as_tuple(recipe.widths),
        "head_widths": _as_tuple(recipe.get("head_widths", ())),
        "text_widths": _as_tuple(recipe.get("text_widths", ())),
        "refine_from": _refine_from(recipe, steps),
    }
    copied = {field.name for field in dataclasses.fields(mmcl.Recipe)} - converted.keys()
    return mmcl.Recipe(**converted, **{name: recipe[name] for name in copied if name in recipe})


def _as_tuple(value):
    """A list, as in `config.json`, as a tuple; anything else unchanged, for the recipe to check."""
    return tuple(value) if isinstance(value, list) else value
