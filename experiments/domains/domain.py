"""Domain: what experiments need to know of a kind of world, be it latents or photographs."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from jaxtyping import Array, Float, Int, Key, UInt32

import lvm
import mmcl
from experiments.sweep.settings import Lane

Shared = Any  # a pytree of arrays that all lanes read, such as photographs
World = Any  # a pytree of arrays that a lane draws for itself
Encode = Callable[[Any], mmcl.Modalities]  # pairs -> representations by a lane's trained encoders


class LaneData(NamedTuple):
    """What the compiled program knows of a lane, all traced; a sweep stacks lanes on axis 0.

    seed: uint32 []; dependence: int32 [], a place in the domain's laws; noise_probability:
    float32 []; misalignment: int32 [], a place in `lvm.MISALIGNMENTS`.
    """

    seed: UInt32[Array, ""]
    bias: lvm.Bias
    dependence: Int[Array, ""]
    noise_probability: Float[Array, ""]
    misalignment: Int[Array, ""]
    hyper: mmcl.Hyperparameters


class Trained(NamedTuple):
    """A lane with all that is needed to score it; pairs are drawn with `Domain.sample`."""

    shared: Shared
    world: World
    lane: LaneData
    encode: Encode


class Words(NamedTuple):
    """How a domain of labelled images speaks.

    caption:   (lane, key, labelled images) -> pairs, one of each image.
    sentences: (token ids on the host) -> texts.
    labels:    the number of values of each factor that is measured as a label, by its name.
    values:    names of what is measured as a number.
    """

    caption: Callable[[LaneData, Key[Array, ""], Any], mmcl.Observations]
    sentences: Callable[[Any], list[str]]
    labels: dict[str, int]
    values: tuple[str, ...]


class Domain(NamedTuple):
    """A kind of world, as a config chose it: names, and pure functions of one lane.

    semantics:  their names.
    laws:       names of the joint laws of the semantics that a setting may ask for.
    misalignments: names of the ways in which captions may be wrong that a setting may ask for.
    outputs:    columns of a representation, the largest encoding size.
    vocabulary: how many token ids texts have, 0 where texts are no words.
    scores:     how many rows of `results.csv` a whole lane has, those of `r2_beyond` not counted.
    blank:      arrays of the form of the shared ones, of one row each.
    load:       (show) -> shared arrays, on the host; `show` hears how far that is.
    init_world: (key, lane) -> world.
    sample:     (shared, world, lane, key, count) -> pairs, with observations x and t.
    score:      (trained, key) -> scores, any pytree.
    glance:     (trained, key) -> few scores, cheap enough to follow training; any pytree.
    rows:       (lane, scores on the host) -> rows of `results.csv`.
    glance_row: (glance on the host) -> columns of `history.csv`.
    words:      None where texts are no words.
    """

    semantics: tuple[str, ...]
    laws: tuple[str, ...]
    misalignments: tuple[str, ...]
    outputs: int
    vocabulary: int
    scores: int
    blank: Shared
    load: Callable[[Callable[[float], None]], Shared]
    init_world: Callable[[Key[Array, ""], LaneData], World]
    sample: Callable[[Shared, World, LaneData, Key[Array, ""], int], mmcl.Observations]
    score: Callable[[Trained, Key[Array, ""]], Any]
    glance: Callable[[Trained, Key[Array, ""]], Any]
    rows: Callable[[Lane, Any], Iterator[dict[str, Any]]]
    glance_row: Callable[[Any], dict[str, float]]
    words: Words | None
