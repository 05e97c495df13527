"""Settings: the lanes that a config asks for, each a setting under a seed."""

import dataclasses
import difflib
from collections.abc import Sequence

import numpy as np

import lvm


@dataclasses.dataclass(frozen=True)
class Lane:
    """One training run's identity, in the words of `results.csv`.

    setting is the bias in short, "select [3]" or "perturb [2]"; selected is "s1 s2 s3".
    """

    seed: int
    setting: str
    selected: str
    perturbable: str
    dependence: str
    encoding_size: int
    noise_probability: float


def make_lanes(config, n: int) -> tuple[Lane, ...]:
    """Every setting under every seed, seed by seed."""
    if not config.settings:
        raise ValueError("settings is empty: give at least one setting")
    lanes = []
    for place, setting in enumerate(config.settings):
        try:
            lanes.append(_make_lane(setting, n))
        except ValueError as error:
            raise ValueError(f"settings[{place}].{error}") from None
    if len(set(lanes)) < len(lanes):
        twice = next(lane for lane in lanes if lanes.count(lane) > 1)
        raise ValueError(f"settings holds {twice.setting}, {twice.dependence} twice: give it once")
    return tuple(
        dataclasses.replace(lane, seed=seed)
        for seed in range(config.seeds)
        for lane in _only(config.only, lanes)
    )


def _only(names: Sequence[str], lanes: Sequence[Lane]) -> Sequence[Lane]:
    """The lanes of the settings with these names, all if none is given."""
    known = {lane.setting for lane in lanes}
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0)[0]
            raise ValueError(f"only holds {name!r}: allowed are settings; nearest is {near!r}")
    return [lane for lane in lanes if lane.setting in names] if names else lanes


def _make_lane(setting, n: int) -> Lane:
    lane = Lane(seed=0, setting="", **setting)
    bias = lane_bias(lane, n)
    size = int(lvm.unbiased(bias).sum()) if lane.encoding_size is None else lane.encoding_size
    if not 1 <= size <= n:
        raise ValueError(f"encoding_size is {size}: allowed is 1..{n}")
    if lane.dependence not in lvm.DEPENDENCES:
        allowed = ", ".join(lvm.DEPENDENCES)
        raise ValueError(f"dependence is {lane.dependence!r}: allowed is one of {allowed}")
    if not 0 <= lane.noise_probability <= 1:
        raise ValueError(f"noise_probability is {lane.noise_probability}: allowed is 0 to 1")
    return dataclasses.replace(
        lane,
        setting=_brief(bias),
        selected=_names(bias.selected),
        perturbable=_names(bias.perturbable),
        encoding_size=size,
    )


def lane_bias(lane: Lane, n: int) -> lvm.Bias:
    """The bias of a lane over n semantics; raises ValueError for names that make none."""
    return lvm.bias_from_indices(
        n, indices_of(lane.selected, "selected", n), indices_of(lane.perturbable, "perturbable", n)
    )


def indices_of(names: str, field: str, n: int) -> list[int]:
    """The numbers, from 1, of semantics named as in "s1 s3"; raises ValueError for another name."""
    known = {f"s{i}": i for i in range(1, n + 1)}
    for name in names.split():
        if name not in known:
            raise ValueError(f"{field} holds {name!r}: allowed is s1 to s{n}")
    return [known[name] for name in names.split()]


def _brief(bias: lvm.Bias) -> str:
    """The bias in short; perturbing under full selection does not mention the selection."""
    perturb = f"perturb {_subset(bias.perturbable)}"
    if not bias.perturbable.any():
        return f"select {_subset(bias.selected)}"
    return perturb if bias.selected.all() else f"select {_subset(bias.selected)} {perturb}"


def _names(mask: np.ndarray) -> str:
    """The one spelling of a subset: "s1 s2", in order, each once."""
    return " ".join(f"s{place + 1}" for place in np.flatnonzero(mask))


def _subset(mask: np.ndarray) -> str:
    """The paper's [3] for the first three, {2, 5} for others."""
    places = (np.flatnonzero(mask) + 1).tolist()
    if places == list(range(1, len(places) + 1)):
        return f"[{len(places)}]"
    return "{" + ", ".join(map(str, places)) + "}"
