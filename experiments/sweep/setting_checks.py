"""Checks of the settings of a config and of the lanes that they make."""

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ml_collections import ConfigDict

from experiments.domains.domain import Domain
from experiments.rundir.lane_identity import PAPER_MISALIGNMENT, Lane
from experiments.runtime.checks import check_not_negative, check_positive
from lvm.latents.misalignment import WHOLE_CAPTION
from mmcl.recipe import is_integer, is_number


def check_settings(config: ConfigDict) -> None:
    """Raises ValueError unless the fields that make lanes have the right types."""
    if config.world_seed is not None:
        check_seed("world_seed", config.world_seed)
    for field in ("settings", "only", "steps_by_setting"):
        if not isinstance(config[field], tuple | list):
            raise ValueError(f"{field} is {config[field]!r}: allowed is a tuple")
    if not config.settings:
        raise ValueError("settings is (): allowed are one or more settings")
    for index, setting in enumerate(config.settings):
        if not isinstance(setting, ConfigDict | Mapping):
            raise ValueError(
                f"settings[{index}] is {setting!r}: allowed is a setting, as `default.setting` "
                "returns it"
            )
    for name in config.only:
        if not isinstance(name, str):
            raise ValueError(
                f"only holds {name!r}: allowed are names of settings, and conditions such as "
                "'dependence=independent'"
            )
    for entry in config.steps_by_setting:
        match entry:
            case (str(), steps) if is_integer(steps) and steps >= 1:
                continue
        raise ValueError(f"steps_by_setting holds {entry!r}: allowed is (setting, 1 or more)")


def check_types(setting: dict[str, Any]) -> None:
    """Raises ValueError for a field of another type than that of `Lane`."""
    for field in dataclasses.fields(Lane):
        value = setting.get(field.name)
        if field.type is str and field.name in setting and not isinstance(value, str):
            raise ValueError(f"{field.name} is {value!r}: allowed is text")
    size, probability = setting["encoding_size"], setting["noise_probability"]
    if size is not None and not is_integer(size):
        raise ValueError(f"encoding_size is {size!r}: allowed is an integer or None")
    if not is_number(probability):
        raise ValueError(f"noise_probability is {probability!r}: allowed is 0 to 1")
    for field in ("seed", "world_seed"):
        check_seed(field, setting[field])


def check_seed(field: str, seed: Any) -> None:
    """Raises ValueError for a seed that is not an integer of 32 bits."""
    if not is_integer(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"{field} is {seed!r}: allowed is an integer, 0 to 2^32 - 1")


def check_hyperparameters(setting: dict[str, Any]) -> None:
    """Raises ValueError for a hyperparameter of another type or out of range."""
    for name in ("learning_rate", "temperature", "clip_norm"):
        check_positive(name, setting[name])
    check_not_negative("weight_decay", setting["weight_decay"])
    if not is_integer(setting["steps"]) or setting["steps"] < 1:
        raise ValueError(f"steps is {setting['steps']!r}: allowed is an integer, 1 or more")


def check_names_and_rate(lane: Lane, domain: Domain) -> None:
    """Raises ValueError for a law or misalignment that the domain does not have and a bad rate."""
    for field, allowed in {
        "dependence": domain.dependences,
        "noise_law": domain.noise_laws,
        "misalignment": domain.misalignments,
    }.items():
        if (value := getattr(lane, field)) not in allowed:
            raise ValueError(f"{field} is {value!r}: allowed is one of {', '.join(allowed)}")
    if not 0 <= lane.noise_probability <= 1:
        raise ValueError(f"noise_probability is {lane.noise_probability}: allowed is 0 to 1")


def check_misalignment(lane: Lane) -> None:
    """Raises ValueError for perturbable semantics that do not fit the misalignment."""
    kind = lane.misalignment
    if kind in WHOLE_CAPTION and lane.perturbable:
        raise ValueError(
            f"perturbable is {lane.perturbable!r}: allowed is '' with misalignment {kind!r}, which "
            "replaces whole captions"
        )
    if kind not in (PAPER_MISALIGNMENT, *WHOLE_CAPTION) and not lane.perturbable:
        raise ValueError(f"perturbable is '': misalignment {kind!r} needs a semantic at least")


def check_unique(lanes: list[Lane]) -> None:
    """Raises ValueError for a lane that occurs twice."""
    for lane, count in Counter(lanes).items():
        if count > 1:
            raise ValueError(
                f"settings holds {lane.setting}, {lane.dependence} twice: give it once"
            )
