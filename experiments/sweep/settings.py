"""Settings: the lanes that a config asks for, each a setting under a seed."""

import dataclasses
import difflib
from collections.abc import Iterable

import numpy as np

import lvm
from lvm.latents.misalignment import WHOLE_CAPTION
from mmcl.output_spaces import SPARE

PAPERS = "noise"  # the paper's misalignment


@dataclasses.dataclass(frozen=True)
class Lane:
    """One training run's identity, in the words of `results.csv`.

    setting is the bias in short, "select [3]" or "perturb [2]"; selected is "s1 s2 s3". A
    misalignment other than the paper's noise is named too: "perturb [2] mcar"; its rate is
    noise_probability.
    """

    seed: int
    setting: str
    selected: str
    perturbable: str
    dependence: str
    encoding_size: int
    noise_probability: float
    misalignment: str = PAPERS


def make_lanes(
    config,
    names: tuple[str, ...],
    laws: tuple[str, ...],
    misalignments: tuple[str, ...],
    largest: int,
) -> tuple[Lane, ...]:
    """Every setting under every seed, seed by seed.

    `names` are those of the semantics, `laws` those that they may follow, `misalignments` the kinds
    of them that captions may show, `largest` is the largest encoding size. Raises ValueError for a
    setting that makes no lane.
    """
    if not config.settings:
        raise ValueError("settings is empty: give at least one setting")
    spare = SPARE.get(config.recipe.get("output_space", "free"), 0)
    sizes, lanes = range(1 + spare, largest + 1), []
    for place, setting in enumerate(config.settings):
        try:
            lanes.append(_make_lane(setting, names, laws, config.min_encoding_size, sizes))
            _check_misalignment(lanes[-1], misalignments)
        except ValueError as error:
            raise ValueError(f"settings[{place}].{error}") from None
    if len(set(lanes)) < len(lanes):
        twice = next(lane for lane in lanes if lanes.count(lane) > 1)
        raise ValueError(f"settings holds {twice.setting}, {twice.dependence} twice: give it once")
    known = {lane.setting for lane in lanes}
    _check_names("only", config.only, known)
    _check_names("steps_by_setting", dict(config.steps_by_setting), known)
    return tuple(
        dataclasses.replace(lane, seed=seed)
        for seed in range(config.seeds)
        for lane in lanes
        if not config.only or lane.setting in config.only
    )


def _check_names(field: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, 0)[0]
            raise ValueError(f"{field} holds {name!r}: allowed are settings; nearest is {near!r}")


def _make_lane(setting, names, laws, least, sizes: range) -> Lane:
    lane = Lane(seed=0, setting="", **setting)
    bias = lane_bias(lane, names)
    exact = int(lvm.unbiased(bias).sum()) + sizes[0] - 1
    size = max(exact, least) if lane.encoding_size is None else lane.encoding_size
    if size not in sizes:
        raise ValueError(f"encoding_size is {size}: allowed is {sizes[0]}..{sizes[-1]}")
    if lane.dependence not in laws:
        allowed = ", ".join(laws)
        raise ValueError(f"dependence is {lane.dependence!r}: allowed is one of {allowed}")
    if not 0 <= lane.noise_probability <= 1:
        raise ValueError(f"noise_probability is {lane.noise_probability}: allowed is 0 to 1")
    return dataclasses.replace(
        lane,
        setting=_brief(bias, names, lane.misalignment),
        selected=" ".join(_chosen(bias.selected, names)),
        perturbable=" ".join(_chosen(bias.perturbable, names)),
        encoding_size=size,
    )


def _check_misalignment(lane: Lane, known: tuple[str, ...]) -> None:
    kind = lane.misalignment
    if kind not in known:
        raise ValueError(f"misalignment is {kind!r}: allowed is one of {', '.join(known)}")
    if kind in WHOLE_CAPTION and lane.perturbable:
        raise ValueError(
            f"perturbable is {lane.perturbable!r}: allowed is '' with misalignment {kind!r}, which "
            "takes whole captions"
        )
    if kind not in (PAPERS, *WHOLE_CAPTION) and not lane.perturbable:
        raise ValueError(f"perturbable is '': misalignment {kind!r} needs a semantic at least")


def misalignment_of(setting: str) -> str:
    """The kind of misalignment that the name of a setting tells."""
    last = setting.rpartition(" ")[2]
    return last if last in lvm.MISALIGNMENTS else PAPERS


def lane_bias(lane: Lane, names: tuple[str, ...]) -> lvm.Bias:
    """The bias of a lane over semantics with these names; raises ValueError if it makes none."""
    return lvm.bias_from_indices(
        len(names),
        indices_of(lane.selected, "selected", names),
        indices_of(lane.perturbable, "perturbable", names),
    )


def indices_of(chosen: str, field: str, names: tuple[str, ...]) -> list[int]:
    """The numbers, from 1, of semantics chosen as in "s1 s3"; ValueError for another name."""
    for name in chosen.split():
        if name not in names:
            known = f"{names[0]} to {names[-1]}" if _numbered(names) else ", ".join(names)
            raise ValueError(f"{field} holds {name!r}: allowed is {known}")
    return [names.index(name) + 1 for name in chosen.split()]


def _brief(bias: lvm.Bias, names: tuple[str, ...], kind: str) -> str:
    """Bias and misalignment in short; perturbing under full selection does not mention that."""
    select = f"select {_subset(bias.selected, names)}"
    perturb = f"perturb {_subset(bias.perturbable, names)}"
    parts = [select] * (not (bias.perturbable.any() and bias.selected.all()))
    parts += [perturb] * bool(bias.perturbable.any()) + [kind] * (kind != PAPERS)
    return " ".join(parts)


def _chosen(mask: np.ndarray, names: tuple[str, ...]) -> list[str]:
    """The names of a subset, in order, each once."""
    return [name for name, chosen in zip(names, mask, strict=True) if chosen]


def _subset(mask: np.ndarray, names: tuple[str, ...]) -> str:
    """The paper's [3] for the first three of s1, s2, ..., {2, 5} for others, else by name."""
    chosen = _chosen(mask, names)
    if not _numbered(names):
        return "{" + ", ".join(chosen) + "}"
    if chosen == list(names[: len(chosen)]):
        return f"[{len(chosen)}]"
    return "{" + ", ".join(name.removeprefix("s") for name in chosen) + "}"


def _numbered(names: tuple[str, ...]) -> bool:
    return names[0] == "s1"
