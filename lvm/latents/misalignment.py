"""Misalignment: the ways in which captions tell semantics wrongly, as in docs/misalignment.md.

A way is a pure function of a scene and of a rate, 0 for captions that are right. One compiled
program serves all ways that a study uses, since which one a lane takes is traced.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Bool, Float, Int, Key

from lvm.bias import Bias, unbiased
from lvm.latents.noise_laws import gaussian
from lvm.latents.semantics import Semantics, solve_semantics
from lvm.latents.switch import take_way

Shift = Callable[[Key[Array, ""], Float[Array, "count n"]], Float[Array, "count n"]]
Rate = Float[Array, ""] | float


class Scene(NamedTuple):
    """A batch of scenes, with the draws that one caption of each is made of.

    law, root_noise: of the world; bias: of the captions; exogenous: noise [count, n] that the
    semantics s [count, n] come of, before `shift`; chance: uniform in [0, 1), and value: standard
    normal, both [count, n], what is told wrongly and what is told instead; noise_law: what makes
    exogenous noise of standard normal numbers.
    """

    law: Semantics
    root_noise: Float[Array, "n n"]
    bias: Bias
    exogenous: Float[Array, "count n"]
    s: Float[Array, "count n"]
    chance: Float[Array, "count n"]
    value: Float[Array, "count n"]
    shift: Callable[[Float[Array, "count n"]], Float[Array, "count n"]]
    noise_law: Callable[[Float[Array, "count n"]], Float[Array, "count n"]] = gaussian


class Told(NamedTuple):
    """What became of a scene: its semantics, what captions tell, what is marked as left out."""

    s: Float[Array, "count n"]
    told: Float[Array, "count n"]
    marks: Bool[Array, "count n"]


def noise(scene: Scene, rate: Rate) -> Told:
    """The paper's: correlated Gaussian noise, on each perturbable semantic with the rate."""
    noisy = scene.s + scene.value @ scene.root_noise.T
    return _told(scene, jnp.where(_at_random(scene, rate), noisy, scene.s))


def strength(scene: Scene, rate: Rate) -> Told:
    """√(1 - rate) · s + √rate · noise as wide as s: always there, ever stronger, alone at 1."""
    width = scene.s.std(0, keepdims=True)
    blend = jnp.sqrt(1 - rate) * scene.s + jnp.sqrt(rate) * width * scene.value
    return _told(scene, jnp.where(scene.bias.perturbable[None], blend, scene.s))


def shuffled(scene: Scene, rate: Rate) -> Told:
    """With the rate, the whole caption is that of another scene; no semantic is perturbable."""
    other = scene.shift(solve_semantics(scene.law, scene.noise_law(scene.value)))
    return _told(scene, jnp.where(scene.chance[:, :1] < rate, other, scene.s))


def propagating(scene: Scene, rate: Rate) -> Told:
    """As `noise`, and the descendants of a distorted semantic follow it, in image and text."""
    distortion, following = _propagate(scene, rate)
    s = scene.shift(following - distortion)
    return _told(scene, s + distortion)._replace(s=s)


def propagating_in_text(scene: Scene, rate: Rate) -> Told:
    """As `noise`, and the text tells descendants as they would be if the distortion were true."""
    return _told(scene, scene.shift(_propagate(scene, rate)[1]))


def _propagate(scene, rate):
    """The noise on each semantic [count, n], and all of them when it enters their causes too."""
    distortion = jnp.where(_at_random(scene, rate), scene.value @ scene.root_noise.T, 0.0)
    exogenous = scene.exogenous + distortion / scene.law.scale[None]
    return distortion, solve_semantics(scene.law, exogenous)


def _omitted(choose: Callable, marked: bool, scene: Scene, rate: Rate) -> Told:
    """What is left out is told as 0; `marked` says so to the text encoder."""
    gone = choose(scene, rate)
    return Told(scene.s, jnp.where(gone, 0.0, scene.s), gone & marked)


def _at_random(scene, rate):
    """Each perturbable semantic of each pair by itself, completely at random: bool [count, n]."""
    return (scene.chance < rate) & scene.bias.perturbable[None]


def _by_another(scene, rate):
    """The lower the first unbiased semantic, the likelier."""
    column = scene.s[:, jnp.argmax(unbiased(scene.bias))]
    return _by_value(scene, rate, column[:, None])


def _by_itself(scene, rate):
    """The lower the semantic itself, the likelier."""
    return _by_value(scene, rate, scene.s)


def _by_value(scene, rate, values):
    """Where (standardised value + noise) / √2 is among the lowest of a standard normal."""
    spread = jnp.maximum(values.std(0, keepdims=True), jnp.finfo(values.dtype).tiny)
    standard = (values - values.mean(0, keepdims=True)) / spread
    low = (standard + ndtri(scene.chance)) / jnp.sqrt(2.0) < ndtri(jnp.asarray(rate))
    return low & scene.bias.perturbable[None]


def _told(scene, told):
    return Told(scene.s, told, jnp.zeros(told.shape, bool))


MISALIGNMENTS: dict[str, Callable[[Scene, Rate], Told]] = {
    "noise": noise,
    "strength": strength,
    "omitted": partial(_omitted, _at_random, False),
    "omitted_marked": partial(_omitted, _at_random, True),
    "omitted_by_another": partial(_omitted, _by_another, False),
    "omitted_by_another_marked": partial(_omitted, _by_another, True),
    "omitted_by_itself": partial(_omitted, _by_itself, False),
    "omitted_by_itself_marked": partial(_omitted, _by_itself, True),
    "shuffled": shuffled,
    "propagating": propagating,
    "propagating_in_text": propagating_in_text,
}
WHOLE = ("shuffled",)  # that change whole captions, whatever is perturbable


@dataclasses.dataclass(frozen=True)
class Telling:
    """How captions of a study are made, all static.

    kinds: the names of MISALIGNMENTS that its lanes take; captions: of one image, which share the
    scene and are made wrong independently. Raises ValueError for a kind that is not known, fewer
    than one caption, and several where a distortion changes the scene.
    """

    kinds: tuple[str, ...] = ("noise",)
    captions: int = 1

    def __post_init__(self):
        if not self.kinds:
            raise ValueError("misalignment is empty: allowed is one kind at least")
        for kind in self.kinds:
            if kind not in MISALIGNMENTS:
                allowed = ", ".join(MISALIGNMENTS)
                raise ValueError(f"misalignment is {kind!r}: allowed is one of {allowed}")
        if self.captions < 1:
            raise ValueError(f"captions is {self.captions}: allowed is 1 or more")
        if self.captions > 1 and "propagating" in self.kinds:
            raise ValueError(
                f"captions is {self.captions}: allowed is 1 with misalignment 'propagating', "
                "where the scene follows its caption"
            )

    @property
    def marked(self) -> bool:
        """Whether texts have columns that say what is left out."""
        return any(kind.endswith("_marked") for kind in self.kinds)


PLAIN = Telling()  # the paper's: one caption, noise


def tell(telling: Telling, kind: Int[Array, ""] | int, scene: Scene, rate: Rate) -> Told:
    """A caption of each scene, misaligned in the way number `kind` of MISALIGNMENTS, traced."""
    return take_way(MISALIGNMENTS, telling.kinds, kind, scene, rate)
