"""Settings: the lanes of a config, every setting under every seed."""

import dataclasses
from typing import Any

import numpy as np
from ml_collections import ConfigDict

import lvm
from experiments.domains.domain import Domain
from experiments.rundir.lane_identity import (
    HYPERPARAMETERS,
    PAPER_MISALIGNMENT,
    Lane,
    are_numbered,
    semantic_indices,
    steps_of,
)
from experiments.sweep.only import check_names, choose_lanes
from experiments.sweep.setting_checks import (
    check_hyperparameters,
    check_misalignment,
    check_names_and_rate,
    check_types,
    check_unique,
)
from mmcl.output_spaces import EXTRA_COLUMNS

RATES = tuple(name for name in HYPERPARAMETERS if name != "steps")  # those of type float


def make_lanes(config: ConfigDict, domain: Domain) -> tuple[Lane, ...]:
    """Returns a lane for every setting and seed, seed by seed; one for a setting with a seed.

    Raises ValueError, with the setting, for one that makes no lane or that is given twice.
    """
    lanes = []
    for index, setting in enumerate(config.settings):
        try:
            lanes.append(_make_lane(setting, config, domain))
            check_misalignment(lanes[-1])
        except ValueError as error:
            raise ValueError(f"settings[{index}].{error}") from None
    names = {lane.setting for lane in lanes}
    check_names("steps_by_setting", dict(config.steps_by_setting), names)
    with_seeds = [
        _with_seeds(lane, setting, config.world_seed, seed)
        for seed in range(config.seeds)
        for lane, setting in zip(lanes, config.settings, strict=True)
        if seed == 0 or "seed" not in setting
    ]
    check_unique(with_seeds)
    return choose_lanes(tuple(dict.fromkeys(map(domain.identify, with_seeds))), config.only)


def lane_bias(lane: Lane, names: tuple[str, ...]) -> lvm.Bias:
    """Returns the bias of a lane over semantics with these names.

    Raises ValueError if the selected and perturbable semantics make no bias.
    """
    return lvm.bias_from_indices(
        len(names),
        semantic_indices(lane.selected, "selected", names),
        semantic_indices(lane.perturbable, "perturbable", names),
    )


def _with_seeds(lane: Lane, setting: ConfigDict, world_seed: int | None, seed: int) -> Lane:
    """The lane with its seeds: of the setting, else of the config, else `seed` for both."""
    seed = setting.get("seed", seed)
    world_seed = setting.get("world_seed", seed if world_seed is None else world_seed)
    return dataclasses.replace(lane, seed=seed, world_seed=world_seed)


def _make_lane(setting: ConfigDict, config: ConfigDict, domain: Domain) -> Lane:
    fields = _all_fields(setting, config, domain)
    check_types(fields)
    check_hyperparameters(fields)
    lane = Lane(setting="", **fields | {name: float(fields[name]) for name in RATES})
    bias = lane_bias(lane, domain.semantics)
    check_names_and_rate(lane, domain)
    name = _short_name(bias, domain.semantics, lane.misalignment)
    return dataclasses.replace(
        lane,
        setting=name,
        selected=" ".join(_members(bias.selected, domain.semantics)),
        perturbable=" ".join(_members(bias.perturbable, domain.semantics)),
        encoding_size=_encoding_size(lane, bias, config, domain),
        steps=lane.steps if "steps" in setting else steps_of(config, name),
    )


def _all_fields(setting: ConfigDict, config: ConfigDict, domain: Domain) -> dict[str, Any]:
    """The fields of a setting and the defaults of those that it does not give."""
    defaults = {
        "seed": 0,
        "world_seed": 0,
        "misalignment": PAPER_MISALIGNMENT,
        "noise_law": domain.noise_laws[0],
    }
    of_recipe = {name: config.recipe[name] for name in HYPERPARAMETERS}
    fields = {**defaults, **of_recipe, **setting}
    known = {field.name for field in dataclasses.fields(Lane)} - {"setting"}
    for field in fields.keys() ^ known:
        raise ValueError(f"{field} is unknown or missing: allowed is {', '.join(sorted(known))}")
    return fields


def _encoding_size(lane: Lane, bias: lvm.Bias, config: ConfigDict, domain: Domain) -> int:
    """The size of the setting; by default the number of unbiased semantics.

    A recipe that estimates the size begins with all columns by default.
    """
    spare = EXTRA_COLUMNS.get(config.recipe.get("output_space", "free"), 0)
    exact = int(lvm.unbiased(bias).sum()) + spare
    estimates = config.recipe.get("estimate_size", False)
    default = domain.outputs if estimates else max(exact, config.min_encoding_size)
    size = default if lane.encoding_size is None else lane.encoding_size
    if not 1 + spare <= size <= domain.outputs:
        raise ValueError(f"encoding_size is {size}: allowed is {1 + spare}..{domain.outputs}")
    return size


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
