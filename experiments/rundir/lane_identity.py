"""Lane: the identity of one training run, and which of its scores count as kept or leaked."""

import dataclasses
from collections.abc import Mapping
from typing import Any

PAPER_MISALIGNMENT = "noise"  # the perturbation bias of the paper
REVERSE = "rep"  # target of the reverse direction, unbiased latents -> representation
HYPERPARAMETERS = ("learning_rate", "temperature", "clip_norm", "weight_decay", "steps")


@dataclasses.dataclass(frozen=True)
class Lane:
    """The identity of one training run, in the words of `results.csv`.

    seed, world_seed: of initialisation and data, and of the world; by default equal.
    setting:     short name of bias and misalignment: "select [3]", "perturb [2] mcar".
    selected:    names of the selected semantics: "s1 s2 s3".
    perturbable: names of the perturbable semantics; "" for none, which files contain as "none".
    dependence:  joint law of the semantics.
    noise_law:   law of their exogenous noise.
    misalignment, noise_probability: kind of misalignment, and its rate.
    learning_rate and later: HYPERPARAMETERS, of the setting or else of the recipe.
    """

    seed: int
    world_seed: int
    setting: str
    selected: str
    perturbable: str
    dependence: str
    noise_law: str
    encoding_size: int
    misalignment: str
    noise_probability: float
    learning_rate: float
    temperature: float
    clip_norm: float
    weight_decay: float
    steps: int


def lane_columns(number: int, lane: Lane) -> dict[str, Any]:
    """Returns the columns that identify a lane in every table."""
    return {"lane": number, **dataclasses.asdict(lane)}


def steps_of(config: Mapping[str, Any], setting: str) -> int:
    """Returns the number of steps of a setting with this name that gives none itself."""
    return dict(config["steps_by_setting"]).get(setting, config["recipe"]["steps"])


def unbiased_names(selected: str, perturbable: str) -> set[str]:
    """Returns the names of the unbiased semantics."""
    return set(selected.split()) - set(perturbable.split())


def role_and_score(row: Mapping[str, Any]) -> tuple[str, float]:
    """Returns the role of a score of a target, and the score in that role.

    The row is one of `results.csv` that `tables.target_rows` selects; scores of downstream tasks
    and similarities have no role.

    "kept":    the target is an unbiased semantic; the score is the value.
    "leaked":  the target is any other latent; the score is the value minus the attainable one.
    "reverse": the target is the representation; the score is the value.
    """
    value = float(row["value"])
    if row["target"] == REVERSE:
        return "reverse", value
    if row["target"] in unbiased_names(row["selected"], row["perturbable"]):
        return "kept", value
    return "leaked", value - float(row["attainable"])


def semantic_indices(chosen: str, field: str, names: tuple[str, ...]) -> list[int]:
    """Returns the positions, from 1, of semantics chosen as in "s1 s3".

    Raises ValueError, with the field, for a name that is not in `names`.
    """
    for name in chosen.split():
        if name not in names:
            known = f"{names[0]} to {names[-1]}" if are_numbered(names) else ", ".join(names)
            raise ValueError(f"{field} holds {name!r}: allowed is {known}")
    return [names.index(name) + 1 for name in chosen.split()]


def are_numbered(names: tuple[str, ...]) -> bool:
    """Returns whether semantics are called s1, s2, ..."""
    return names[0] == "s1"
