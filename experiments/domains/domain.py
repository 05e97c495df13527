"""Domain: the interface of a kind of world, be it latents or images with captions."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Key, UInt32

import lvm
import mmcl
from experiments.rundir.lane_identity import Lane
from lvm.latents.misalignment import WITHIN_CATEGORY

Shared = Any  # a pytree of arrays that all lanes read, such as photographs
World = Any  # a pytree of arrays that belong to one lane
Scores = Any  # a pytree of arrays
ReportFraction = Callable[[float], object]  # called with the fraction that is done


class LaneData(NamedTuple):
    """Traced inputs of a lane; a sweep stacks lanes on axis 0.

    seed:              uint32 [], of initialisation, data and scores.
    world_seed:        uint32 [], of the world.
    bias:              two masks, bool [semantics] each.
    dependence:        int32 [], position in the domain's `dependences`.
    noise_law:         int32 [], position in the domain's `noise_laws`.
    misalignment:      int32 [], position in the domain's `misalignments`.
    noise_probability: float32 [].
    hyper:             of the training.
    """

    seed: UInt32[Array, ""]
    world_seed: UInt32[Array, ""]
    bias: lvm.Bias
    dependence: Int[Array, ""]
    noise_law: Int[Array, ""]
    misalignment: Int[Array, ""]
    noise_probability: Float[Array, ""]
    hyper: mmcl.Hyperparameters


def keeps_category(lane: LaneData, misalignments: Sequence[str]) -> Bool[Array, ""]:
    """Returns whether misaligned captions of a lane keep the category alone.

    misalignments: the names that the index of the lane refers to.
    """
    kinds = [index for index, name in enumerate(misalignments) if name in WITHIN_CATEGORY]
    return jnp.isin(lane.misalignment, jnp.array(kinds, jnp.int32))


def scored_lane(lane: LaneData, misalignments: Sequence[str]) -> LaneData:
    """Returns a lane as it is scored: at rate 0 of a shuffle, no semantic is perturbable."""
    correct = keeps_category(lane, misalignments) & (lane.noise_probability == 0)
    return lane._replace(bias=lane.bias._replace(perturbable=lane.bias.perturbable & ~correct))


class TrainedLane(NamedTuple):
    """A lane to be scored.

    encode:     from pairs to their representations.
    columns:    bool [outputs], the columns of representations that take part.
    similarity: by which training compared representations; values as in `mmcl.Recipe`.
    """

    shared: Shared
    world: World
    lane: LaneData
    encode: Callable[[Any], mmcl.Modalities]
    columns: Bool[Array, " outputs"]
    similarity: str = "negative_squared_distance"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Domain(ABC):
    """A kind of world, as a config chose it: static names and sizes, and functions of one lane.

    The functions are pure; `vmap` and `jit` are applied outside.

    semantics:       their names.
    dependences:     names of the joint laws of the semantics that a setting may choose.
    noise_laws:      names of the laws of exogenous noise that a setting may choose.
    misalignments:   names of the kinds of misalignment that a setting may choose.
    outputs:         columns of a representation, the largest encoding size.
    vocabulary:      number of token ids in texts, 0 if texts are vectors.
    scores_per_lane: rows of `results.csv` for one lane, without those of the metrics in
                     `ADDED_METRICS`, such as `partial_r2`, `count` and `recall_at_1`.
    """

    semantics: tuple[str, ...]
    dependences: tuple[str, ...]
    noise_laws: tuple[str, ...]
    misalignments: tuple[str, ...]
    outputs: int
    vocabulary: int
    scores_per_lane: int

    def load(self, report_fraction: ReportFraction) -> Shared:
        """Returns the arrays that all lanes share, on the host; by default none."""
        del report_fraction
        return ()

    def empty_shared(self) -> Shared:
        """Returns arrays of the structure and types of `load`, with one row each."""
        return ()

    def identify(self, lane: Lane) -> Lane:
        """Returns a lane of the settings as this domain runs it; by default unchanged."""
        return lane

    @abstractmethod
    def init_world(self, key: Key[Array, ""], lane: LaneData, shared: Shared) -> World:
        """Draws the world of a lane, or takes it from `shared`."""

    @abstractmethod
    def sample(
        self, key: Key[Array, ""], count: int, *, shared: Shared, world: World, lane: LaneData
    ) -> mmcl.Observations:
        """Samples `count` pairs of a lane, with observations x and t."""

    @abstractmethod
    def score(self, key: Key[Array, ""], trained: TrainedLane) -> Scores:
        """Returns every score of a lane."""

    @abstractmethod
    def monitor(self, key: Key[Array, ""], trained: TrainedLane) -> Scores:
        """Returns a few scores of a lane, cheap enough to follow its training."""

    @abstractmethod
    def score_rows(self, lane: Lane, scores: Scores) -> Iterator[dict[str, Any]]:
        """Yields the rows of `results.csv` for the scores of a lane, on the host."""

    @abstractmethod
    def monitor_row(self, scores: Scores) -> dict[str, float]:
        """Returns the columns of `history.csv` for monitor scores, on the host."""
