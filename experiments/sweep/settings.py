"""Settings: the lanes of a config, every setting under every seed."""

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from ml_collections import ConfigDict

import lvm
from experiments.domains.domain import Domain
from experiments.rundir.lane_identity import (
    PAPER_MISALIGNMENT,
    Lane,
    are_numbered,
    semantic_indices,
)
from lvm.latents.misalignment import WHOLE_CAPTION
from mmcl.output_spaces import EXTRA_COLUMNS
from mmcl.recipe import is_integer, is_number


def make_lanes(config: ConfigDict, domain: Domain) -> tuple[Lane, ...]:
    """Returns a lane for every setting and seed, seed by seed; one for a setting with a seed.

    Raises ValueError, with the setting, for one that makes no lane or that is given twice.
    """
    lanes = []
    for index, setting in enumerate(config.settings):
        try:
            lanes.append(_make_lane(setting, config, domain))
            _check_misalignment(lanes[-1])
        except ValueError as error:
            raise ValueError(f"settings[{index}].{error}") from None
    _check_unique(lanes)
    names = {lane.setting for lane in lanes}
    _check_names("only", config.only, names)
    _check_names("steps_by_setting", dict(config.steps_by_setting), names)
    return tuple(
        dataclasses.replace(lane, seed=setting.get("seed", seed))
        for seed in range(config.seeds)
        for lane, setting in zip(lanes, config.settings, strict=True)
        if not config.only or lane.setting in config.only
        if seed == 0 or "seed" not in setting
    )


def check_settings(config: ConfigDict) -> None:
    """Raises ValueError unless `settings`, `only` and `steps_by_setting` have the right types."""
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
            raise ValueError(f"only holds {name!r}: allowed are names of settings")
    for entry in config.steps_by_setting:
        match entry:
            case (str(), steps) if is_integer(steps) and steps >= 1:
                continue
        raise ValueError(f"steps_by_setting holds {entry!r}: allowed is (setting, 1 or more)")


def lane_bias(lane: Lane, names: tuple[str, ...]) -> lvm.Bias:
    """Returns the bias of a lane over semantics with these names.

    Raises ValueError if the selected and perturbable semantics make no bias.
    """
    return lvm.bias_from_indices(
        len(names),
        semantic_indices(lane.selected, "selected", names),
        semantic_indices(lane.perturbable, "perturbable", names),
    )


def _make_lane(setting: ConfigDict, config: ConfigDict, domain: Domain) -> Lane:
    setting = {"misalignment": PAPER_MISALIGNMENT, "noise_law": domain.noise_laws[0], **setting}
    known = {field.name for field in dataclasses.fields(Lane)} - {"seed", "setting"}
    for field in (setting.keys() - {"seed"}) ^ known:
        raise ValueError(f"{field} is unknown or missing: allowed is {', '.join(sorted(known))}")
    _check_types(setting)
    seed = setting.pop("seed", 0)
    if not is_integer(seed) or not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed!r}: allowed is an integer, 0 to 2^32 - 1")
    lane = Lane(seed=seed, setting="", **setting)
    bias = lane_bias(lane, domain.semantics)
    for field, allowed in {
        "dependence": domain.dependences,
        "noise_law": domain.noise_laws,
        "misalignment": domain.misalignments,
    }.items():
        if (value := getattr(lane, field)) not in allowed:
            raise ValueError(f"{field} is {value!r}: allowed is one of {', '.join(allowed)}")
    if not 0 <= lane.noise_probability <= 1:
        raise ValueError(f"noise_probability is {lane.noise_probability}: allowed is 0 to 1")
    return dataclasses.replace(
        lane,
        setting=_short_name(bias, domain.semantics, lane.misalignment),
        selected=" ".join(_members(bias.selected, domain.semantics)),
        perturbable=" ".join(_members(bias.perturbable, domain.semantics)),
        encoding_size=_encoding_size(lane, bias, config, domain),
    )


def _check_types(setting: dict[str, Any]) -> None:
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


def _encoding_size(lane: Lane, bias: lvm.Bias, config: ConfigDict, domain: Domain) -> int:
    """The size of the setting; by default the number of unbiased semantics.

    A recipe that selects columns begins with all of them by default.
    """
    spare = EXTRA_COLUMNS.get(config.recipe.get("output_space", "free"), 0)
    exact = int(lvm.unbiased(bias).sum()) + spare
    selects = config.recipe.get("select", 0.0) > 0
    default = domain.outputs if selects else max(exact, config.min_encoding_size)
    size = default if lane.encoding_size is None else lane.encoding_size
    if not 1 + spare <= size <= domain.outputs:
        raise ValueError(f"encoding_size is {size}: allowed is {1 + spare}..{domain.outputs}")
    return size


def _check_misalignment(lane: Lane) -> None:
    kind = lane.misalignment
    if kind in WHOLE_CAPTION and lane.perturbable:
        raise ValueError(
            f"perturbable is {lane.perturbable!r}: allowed is '' with misalignment {kind!r}, which "
            "replaces whole captions"
        )
    if kind not in (PAPER_MISALIGNMENT, *WHOLE_CAPTION) and not lane.perturbable:
        raise ValueError(f"perturbable is '': misalignment {kind!r} needs a semantic at least")


def _check_unique(lanes: list[Lane]) -> None:
    for lane in lanes:
        if lanes.count(lane) > 1:
            raise ValueError(
                f"settings holds {lane.setting}, {lane.dependence} twice: give it once"
            )


def _check_names(field: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, 1, 0)[0]
            raise ValueError(
                f"{field} holds {name!r}: allowed are settings; nearest is {nearest!r}"
            )


def _short_name(bias: lvm.Bias, names: tuple[str, ...], kind: str) -> str:
    """Bias and misalignment in short; perturbing under full selection omits the selection."""
    select = f"select {_subset(bias.selected, names)}"
    perturb = f"perturb {_subset(bias.perturbable, names)}"
    parts = [select] * (not (bias.perturbable.any() and bias.selected.all()))
    parts += [perturb] * bool(bias.perturbable.any()) + [kind] * (kind != PAPER_MISALIGNMENT)
    return " ".join(parts)


def _members(mask: np.ndarray, names: tuple[str, ...]) -> list[str]:
    return [name for name, member in zip(names, mask, strict=True) if member]


def _subset(mask: np.ndarray, names: tuple[str, ...]) -> str:
    """The paper's [3] for the first three of s1, s2, ..., {2, 5} for others, else by name."""
    members = _members(mask, names)
    if not are_numbered(names):
        return "{" + ", ".join(members) + "}"
    if members == list(names[: len(members)]):
        return f"[{len(members)}]"
    return "{" + ", ".join(name.removeprefix("s") for name in members) + "}"
