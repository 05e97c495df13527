"""Plan: a config, checked and turned into static sizes and lanes, before any work starts."""

import dataclasses
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, UInt32
from ml_collections import ConfigDict

import lvm
import mmcl
from experiments.settings import Lane, indices_of, lane_bias, make_lanes
from probes import OUTCOMES, PROBES

LEAST = {  # dotted config field -> smallest value allowed
    "seeds": 1,
    "recipe.steps": 1,
    "evaluation.fit": 2,
    "evaluation.test": 2,
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


class LaneData(NamedTuple):
    """What the compiled program knows of a lane, all traced; a sweep stacks lanes on axis 0.

    seed: uint32 []; dependence: int32 [], a place in `lvm.DEPENDENCES`; noise_probability:
    float32 [].
    """

    seed: UInt32[Array, ""]
    bias: lvm.Bias
    dependence: Int[Array, ""]
    noise_probability: Float[Array, ""]
    hyper: mmcl.Hyperparameters


class Plan(NamedTuple):
    """A whole sweep: static sizes, and lanes with their stacked data.

    A lane's place in `lanes` is its number in the run directory. steps of training; fit and test:
    pairs that a probe is fitted and tested on; probes: their names; shifted: bool [n], the
    semantics that shift in downstream tasks, None to leave these out; log_every: steps between two
    points of the history; save_every and save_minutes: at most so much lies between two
    checkpoints; lanes_per_block: that run together, None for as many as fit; devices_per_lane: that
    share the batch of a lane.
    """

    spec: lvm.WorldSpec
    recipe: mmcl.Recipe
    lanes: tuple[Lane, ...]
    data: LaneData
    steps: int
    fit: int
    test: int
    probes: tuple[str, ...]
    shifted: np.ndarray | None
    log_every: int
    save_every: int
    save_minutes: float
    lanes_per_block: int | None
    devices_per_lane: int


def make_plan(config: ConfigDict) -> Plan:
    """Checks a config and builds its plan; no device work.

    Raises ValueError that names the field, its value and what is allowed.
    """
    for field, least in LEAST.items():
        value = _field(config, field)
        if value is not None and value < least:
            raise ValueError(f"{field} is {value}: allowed is {least} or more")
    for field in POSITIVE:
        value = _field(config, field)
        if not 0 < value < np.inf:
            raise ValueError(f"{field} is {value}: allowed is a number above 0")
    if config.recipe.batch % config.devices_per_lane:
        raise ValueError(
            f"devices_per_lane is {config.devices_per_lane}: allowed is a divisor of recipe.batch, "
            f"{config.recipe.batch}"
        )
    if not 0 <= config.recipe.refine <= 1:
        raise ValueError(f"recipe.refine is {config.recipe.refine}: allowed is 0 to 1")
    if config.recipe.refine and config.recipe.objective != "alignment_max_entropy":
        raise ValueError(
            f"recipe.refine is {config.recipe.refine}: allowed is 0 with objective "
            f"{config.recipe.objective}"
        )
    spec = lvm.WorldSpec(**config.world)
    lanes = make_lanes(config, spec.semantics)
    data = [_lane_data(lane, config.recipe, spec.semantics) for lane in lanes]
    return Plan(
        spec=spec,
        recipe=_make_recipe(config.recipe, spec.semantics),
        lanes=lanes,
        data=jax.tree.map(lambda *leaves: np.stack(leaves), *data),
        steps=config.recipe.steps,
        fit=config.evaluation.fit,
        test=config.evaluation.test,
        probes=_probes(config.evaluation.probes),
        shifted=_shifted(config.evaluation, spec.semantics),
        log_every=config.log_every,
        save_every=config.save_every,
        save_minutes=config.save_minutes,
        lanes_per_block=config.lanes_per_block,
        devices_per_lane=config.devices_per_lane,
    )


def take(plan: Plan, numbers: Sequence[int]) -> Plan:
    """The plan with some of its lanes alone, in the order of `numbers`."""
    lanes = tuple(plan.lanes[number] for number in numbers)
    data = jax.tree.map(lambda leaf: leaf[np.asarray(numbers)], plan.data)
    return plan._replace(lanes=lanes, data=data)


def arrange(plan: Plan, lanes: Sequence[Lane]) -> Plan:
    """The plan with its lanes in the order of `lanes`."""
    return take(plan, [plan.lanes.index(lane) for lane in lanes])


def _field(config: ConfigDict, path: str):
    return reduce(getattr, path.split("."), config)


def _lane_data(lane: Lane, recipe, n: int) -> LaneData:
    schedule = mmcl.Schedule(
        peak=np.float32(recipe.learning_rate),
        warmup=np.float32(recipe.warmup),
        steps=np.float32(recipe.steps if recipe.decay else np.inf),
    )
    return LaneData(
        seed=np.uint32(lane.seed),
        bias=lane_bias(lane, n),
        dependence=np.int32(lvm.DEPENDENCES.index(lane.dependence)),
        noise_probability=np.float32(lane.noise_probability),
        hyper=mmcl.Hyperparameters(
            schedule=schedule,
            temperature=np.float32(recipe.temperature),
            clip_norm=np.float32(recipe.clip_norm),
            dimensions=np.arange(n) < lane.encoding_size,
        ),
    )


def _make_recipe(recipe, outputs: int) -> mmcl.Recipe:
    made = {
        "outputs": outputs,
        "widths": tuple(recipe.widths),
        "refine_from": int(recipe.steps * (1 - recipe.refine)) if recipe.refine else None,
    }
    static = {field.name for field in dataclasses.fields(mmcl.Recipe)} - made.keys()
    return mmcl.Recipe(**made, **{name: recipe[name] for name in static})


def _probes(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in PROBES:
            allowed = ", ".join(PROBES)
            raise ValueError(f"evaluation.probes holds {name!r}: allowed is {allowed}")
    if not names:
        raise ValueError("evaluation.probes is empty: give at least one")
    return tuple(names)


def _shifted(evaluation, n: int) -> np.ndarray | None:
    if not evaluation.downstream:
        return None
    if n < max(OUTCOMES.values()):
        raise ValueError(
            f"evaluation.downstream is True: allowed is False with {n} semantics, since outcomes "
            f"depend on {max(OUTCOMES.values())}"
        )
    return np.isin(np.arange(1, n + 1), indices_of(evaluation.shifted, "evaluation.shifted", n))
