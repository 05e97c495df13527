"""Differences: which fields of a config keep it from resuming or extending a run."""

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from ml_collections import ConfigDict

from experiments.rundir.lane_identity import Lane

LanesOf = Callable[[ConfigDict], Sequence[Lane]]

HARMLESS = (  # fields that may change on resuming: they alter rounding at most
    "save_every",
    "save_minutes",
    "loggers",
    "lanes_per_block",
    "devices_per_lane",
    "world.data",  # paths of a data set and of its converted copy on this machine
    "world.cache",
    "world.label_file",
    "world.caption_file",
    "world.covariance",  # likewise; `world.sha256` is that of the content
    "world.file",
    "plugins",  # compared by their digests
)
# fields that may change if no lane is lost; in this order, one may need those before it
GROWING = ("settings", "steps_by_setting", "seeds", "world_seed", "only")
STEPS = "recipe.steps"
# fields of a recipe under which a learning rate or an objective depends on the number of steps
SCHEDULED = ("decay", "refine", "estimate_size")
NOTES = {
    STEPS: "more steps need recipe.decay=False, recipe.refine=0 and recipe.estimate_size=False",
    "world.sha256": "of the content of world.covariance or world.file",
    "evaluation": "`misalign rescore` scores a finished run again",
}


def grown_lanes(
    present: Sequence[Lane], lanes: Sequence[Lane], can_continue: bool
) -> list[Lane] | None:
    """Returns the lanes of a run as they are among `lanes`, None if one of them is lost.

    They are the same; or, with `can_continue`, the same with more steps.
    """
    found: list[Lane] = []
    for lane in present:
        equal = [other for other in lanes if _same_but_longer(lane, other) and can_continue]
        candidates = [lane] if lane in lanes else equal
        if len(candidates) != 1 or candidates[0] in found:
            return None
        found += candidates
    return found


def can_continue(config: dict[str, Any]) -> bool:
    """Returns whether lanes of a config can be trained further after their last step."""
    return not any(config["recipe"].get(field, False) for field in SCHEDULED)


def obstacles(
    old: dict[str, Any],
    new: dict[str, Any],
    present: Sequence[Lane],
    *,
    lanes: Sequence[Lane],
    lanes_of: LanesOf,
) -> list[str]:
    """Returns the differences of two configs under which a run of `old` cannot go on as `new`.

    present, lanes: of the run, and of `new`.
    lanes_of:       returns the lanes of a config; it may raise ValueError.

    A field that may grow is left out if the run could grow by it once the others are undone.
    """
    continues = can_continue(new)
    may_grow = (*GROWING, STEPS) if continues else GROWING
    flat_old, flat_new = flatten(old), flatten(new)
    differing = _differing(flat_old, flat_new)
    units = list(dict.fromkeys(_unit(field) for field in differing if _grows(field, may_grow)))
    units.sort(key=lambda unit: may_grow.index(unit.partition("[")[0]))
    fixed = [field for field in differing if not _grows(field, may_grow)]
    if not fixed and grown_lanes(present, lanes, continues) is not None:
        return []

    def keeps_lanes(units):
        try:
            mixed = lanes_of(ConfigDict(_mixed(old, new, units)))
        except ValueError:
            return False
        return grown_lanes(present, mixed, continues) is not None

    harmless = _harmless_units(units, keeps_lanes)
    return [
        _line(field, flat_old, flat_new)
        for field in differing
        if field in fixed or _unit(field) not in harmless
    ]


def _harmless_units(units: list[str], keeps_lanes: Callable[[list[str]], bool]) -> list[str]:
    """The units of a new config under which no lane is lost: all together, or one after another."""
    if keeps_lanes(units):
        return units
    harmless: list[str] = []
    for unit in units:
        if keeps_lanes([*harmless, unit]):
            harmless.append(unit)
    return harmless


def differing_fields(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Returns the differences of two configs beyond their lanes, as "recipe.steps (6 and 9)"."""
    flat_old, flat_new = flatten(old), flatten(new)
    return [
        f"{field} ({flat_old.get(field, 'absent')!r} and {flat_new.get(field, 'absent')!r})"
        for field in _differing(flat_old, flat_new)
        if not _grows(field, GROWING)
    ]


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested dicts and lists as {"recipe.steps": 6000, "settings[0].selected": "s1"}."""
    if isinstance(value, dict):
        items = [(f"{prefix}.{key}".lstrip("."), item) for key, item in value.items()]
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        items = [(f"{prefix}[{index}]", item) for index, item in enumerate(value)]
    else:
        return {prefix: value}
    return {key: leaf for prefix, item in items for key, leaf in flatten(item, prefix).items()}


def _differing(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    fields = [
        name
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name) and name not in HARMLESS
    ]
    has_entries = lambda name: any(other.startswith(f"{name}[") for other in fields)
    return [name for name in fields if not has_entries(name)]  # an empty list beside its entries


def _same_but_longer(lane: Lane, other: Lane) -> bool:
    return other.steps > lane.steps and dataclasses.replace(other, steps=lane.steps) == lane


def _grows(field: str, may_grow: Sequence[str]) -> bool:
    return field.partition("[")[0] in may_grow


def _unit(field: str) -> str:
    """The part of a config that is undone together: one setting, or another field."""
    name, bracket, rest = field.partition("[")
    return f"{name}[{rest.partition(']')[0]}]" if name == "settings" and bracket else name


def _mixed(old: dict[str, Any], new: dict[str, Any], units: Sequence[str]) -> dict[str, Any]:
    """The old config with some units of the new one."""
    mixed = copy.deepcopy(old)
    for field in GROWING:
        if field in units and field in new:
            mixed[field] = new[field]
    if STEPS in units:
        mixed["recipe"]["steps"] = new["recipe"]["steps"]
    chosen = [
        (new if f"settings[{index}]" in units else old)["settings"][index : index + 1]
        for index in range(max(len(old["settings"]), len(new["settings"])))
    ]
    return mixed | {"settings": [setting for entry in chosen for setting in entry]}


def _line(field: str, old: dict[str, Any], new: dict[str, Any]) -> str:
    note = NOTES.get(field) or NOTES.get(field.partition(".")[0])
    line = f"{field}: {old.get(field, 'absent')!r} in the run, {new.get(field, 'absent')!r} here"
    return f"{line} ({note})" if note else line
