"""Plan: a config, checked and turned into static sizes and lanes, before any work starts."""

import dataclasses
from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np
from ml_collections import ConfigDict

import lvm
import mmcl
from experiments.domains import Domain, make_domain
from experiments.domains.domain import LaneData
from experiments.rundir.checkpoint_files import steps_of
from experiments.runtime.checks import require_least, require_positive, require_share
from experiments.sweep.settings import Lane, lane_bias, make_lanes
from mmcl.recipe import CHOICES

LEAST = {  # dotted config field -> smallest value allowed
    "seeds": 1,
    "min_encoding_size": 1,
    "recipe.steps": 1,
    "log_every": 1,
    "save_every": 1,
    "lanes_per_block": 1,
    "devices_per_lane": 1,
    "recipe.warmup": 0,
}
POSITIVE = (  # dotted config fields that must be above 0
    "recipe.learning_rate",
    "recipe.temperature",
    "recipe.clip_norm",
    "save_minutes",
)


class Plan(NamedTuple):
    """A whole sweep: what is static, and lanes with their stacked data.

    A lane's place in `lanes` is its number in the run directory. recipes and lengths: of each
    lane's training, the latter in steps; log_every: steps between two points of the history;
    save_every and save_minutes: at most so much lies between two checkpoints; lanes_per_block: that
    run together, None for as many as fit; devices_per_lane: that share the batch of a lane.
    """

    domain: Domain
    lanes: tuple[Lane, ...]
    recipes: tuple[mmcl.Recipe, ...]
    lengths: tuple[int, ...]
    data: LaneData
    log_every: int
    save_every: int
    save_minutes: float
    lanes_per_block: int | None
    devices_per_lane: int

    @property
    def recipe(self) -> mmcl.Recipe:
        """The one of lanes that train together."""
        return _common(self.recipes)

    @property
    def steps(self) -> int:
        """The length of lanes that train together; raises ValueError if there are several."""
        return _common(self.lengths)


def make_plan(config: ConfigDict) -> Plan:
    """Checks a config and builds its plan; no device work.

    Raises ValueError that names the field, its value and what is allowed.
    """
    _check_numbers(config)
    domain = make_domain(config)
    _check_encoders(config, domain)
    lanes = make_lanes(config, domain.semantics, domain.laws, domain.misalignments, domain.outputs)
    length_of = lambda lane: steps_of(config, lane.setting)
    lanes = tuple(sorted(lanes, key=length_of))  # those that train together are consecutive
    lengths = tuple(map(length_of, lanes))
    data = [
        _lane_data(lane, config.recipe, steps, domain)
        for lane, steps in zip(lanes, lengths, strict=True)
    ]
    return Plan(
        domain=domain,
        lanes=lanes,
        recipes=tuple(_make_recipe(config.recipe, steps, domain) for steps in lengths),
        lengths=lengths,
        data=jax.tree.map(lambda *leaves: np.stack(leaves), *data),
        log_every=config.log_every,
        save_every=config.save_every,
        save_minutes=config.save_minutes,
        lanes_per_block=config.lanes_per_block,
        devices_per_lane=config.devices_per_lane,
    )


def take(plan: Plan, numbers: Sequence[int]) -> Plan:
    """The plan with some of its lanes alone, in the order of `numbers`."""
    some = lambda values: tuple(values[number] for number in numbers)
    return plan._replace(
        lanes=some(plan.lanes),
        recipes=some(plan.recipes),
        lengths=some(plan.lengths),
        data=jax.tree.map(lambda leaf: leaf[np.asarray(numbers)], plan.data),
    )


def of_length(plan: Plan, steps: int) -> list[int]:
    """The numbers of the lanes that train for so many steps."""
    return [number for number, length in enumerate(plan.lengths) if length == steps]


def arrange(plan: Plan, lanes: Sequence[Lane]) -> Plan:
    """The plan with its lanes in the order of `lanes`."""
    return take(plan, [plan.lanes.index(lane) for lane in lanes])


def _common(values):
    if len(set(values)) > 1:
        raise ValueError(
            "steps_by_setting holds settings: lanes train together here, so give it as ()"
        )
    return values[0]


def _lane_data(lane: Lane, recipe, steps: int, domain: Domain) -> LaneData:
    turn = steps if (begin := _refine_from(recipe, steps)) is None else begin
    schedule = mmcl.Schedule(
        peak=np.float32(recipe.learning_rate),
        warmup=np.float32(recipe.warmup),
        decay_end=np.float32(turn if recipe.decay else np.inf),
        floor=np.float32(recipe.refine_rate if recipe.refine else 0.0),
        end_steps=np.float32(steps - turn),
    )
    return LaneData(
        seed=np.uint32(lane.seed),
        bias=lane_bias(lane, domain.semantics),
        dependence=np.int32(domain.laws.index(lane.dependence)),
        noise_probability=np.float32(lane.noise_probability),
        misalignment=np.int32(tuple(lvm.MISALIGNMENTS).index(lane.misalignment)),
        hyper=mmcl.Hyperparameters(
            schedule=schedule,
            temperature=np.float32(recipe.temperature),
            clip_norm=np.float32(recipe.clip_norm),
            dimensions=np.arange(domain.outputs) < lane.encoding_size,
        ),
    )


def _refine_from(recipe, steps: int) -> int | None:
    return round(steps * (1 - recipe.refine)) if recipe.refine else None


def _check_numbers(config: ConfigDict) -> None:
    require_least(config, LEAST)
    require_positive(config, POSITIVE)
    require_share(config, ["recipe.refine", "recipe.refine_rate"])
    for own in config.steps_by_setting:
        match own:
            case (str(), int(steps)) if steps >= 1:
                continue
        raise ValueError(f"steps_by_setting holds {own!r}: allowed is (setting, 1 or more)")
    if config.recipe.batch % config.devices_per_lane:
        raise ValueError(
            f"devices_per_lane is {config.devices_per_lane}: allowed is a divisor of recipe.batch, "
            f"{config.recipe.batch}"
        )
    if config.recipe.refine and config.recipe.objective != "alignment_max_entropy":
        raise ValueError(
            f"recipe.refine is {config.recipe.refine}: allowed is 0 with objective "
            f"{config.recipe.objective}"
        )


def _check_encoders(config: ConfigDict, domain: Domain) -> None:
    """Only vectors are for MLPs."""
    for field in ("image_encoder", "text_encoder"):
        name = config.recipe.get(field, "mlp")
        fitting = [one for one in CHOICES[field] if (one == "mlp") == (domain.vocabulary == 0)]
        if name not in fitting:
            allowed = ", ".join(fitting)
            raise ValueError(
                f"recipe.{field} is {name!r}: allowed is {allowed} in domain {config.domain!r}"
            )


def _make_recipe(recipe, steps: int, domain: Domain) -> mmcl.Recipe:
    made = {
        "outputs": domain.outputs,
        "vocabulary": domain.vocabulary,
        "widths": tuple(recipe.widths),
        "head_widths": tuple(recipe.get("head_widths", ())),
        "text_widths": tuple(recipe.get("text_widths", ())),
        "refine_from": _refine_from(recipe, steps),
    }
    static = {field.name for field in dataclasses.fields(mmcl.Recipe)} - made.keys()
    return mmcl.Recipe(**made, **{name: recipe[name] for name in static if name in recipe})
