"""Misalignment: how the semantics in a caption differ from those in the image.

Each kind of misalignment is a pure function of a scene and of a rate; rate 0 gives correct
captions. The kind of a lane is traced, so one compiled program serves all kinds of a study.
docs/misalignment.md defines the kinds and derives what is attainable under each.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jaxtyping import Array, Bool, Float, Int, Key

from lvm.bias import Bias, Mask, unbiased
from lvm.categories import match_categories, number_categories
from lvm.checks import check_count, check_result
from lvm.latents.noise_laws import gaussian
from lvm.latents.semantics import Semantics, solve_semantics
from lvm.latents.switch import switch_by_name

Rows = Float[Array, "count n"]
Shift = Callable[[Key[Array, ""], Rows], Rows]
Rate = Float[Array, ""] | float


class Scene(NamedTuple):
    """A batch of scenes, with the random numbers that one caption of each consumes.

    law, root_noise: from the world.
    bias:        of the captions.
    exogenous:   float32 [count, n], the exogenous noise that generates s, before `shift`.
    s:           float32 [count, n], the true semantics.
    uniform:     float32 [count, n] in [0, 1), decides which values are misaligned.
    normal:      float32 [count, n], standard normal, generates the values that replace them.
    shift:       change of environment, applied to semantics.
    noise_law:   from standard normal numbers to exogenous noise.
    """

    law: Semantics
    root_noise: Float[Array, "n n"]
    bias: Bias
    exogenous: Rows
    s: Rows
    uniform: Rows
    normal: Rows
    shift: Callable[[Rows], Rows]
    noise_law: Callable[[Rows], Rows] = gaussian


class Misaligned(NamedTuple):
    """Scenes after misalignment.

    s:       float32 [count, n], the true semantics; `propagating` changes them.
    caption: float32 [count, n], the values that captions contain.
    missing: bool [count, n], the missing indicator; False for kinds without one.
    """

    s: Rows
    caption: Rows
    missing: Bool[Array, "count n"]


def noise(scene: Scene, rate: Rate) -> Misaligned:
    """Adds correlated Gaussian noise to each perturbable semantic with probability `rate`.

    This is the paper's perturbation bias (section 5.1).
    """
    noisy = scene.s + scene.normal @ scene.root_noise.T
    return _misaligned(scene, jnp.where(_at_random(scene, rate), noisy, scene.s))


def strength(scene: Scene, rate: Rate) -> Misaligned:
    """Blends each perturbable semantic with noise of equal scale: √(1 - rate) s + √rate noise."""
    scale = scene.s.std(0, keepdims=True)
    blend = jnp.sqrt(1 - rate) * scene.s + jnp.sqrt(rate) * scale * scene.normal
    return _misaligned(scene, jnp.where(scene.bias.perturbable[None], blend, scene.s))


def shuffled(scene: Scene, rate: Rate) -> Misaligned:
    """Replaces whole captions by those of other scenes with probability `rate`."""
    return _replaced(scene, rate, _other_scenes(scene))


def shuffled_in_category(scene: Scene, rate: Rate) -> Misaligned:
    """Replaces whole captions by those of other scenes of the same category (arXiv 2601.19597).

    The category of a scene is the signs of its unbiased semantics. Given the category, the other
    scene is independent of the scene. Where no other scene drawn with the batch is of the category,
    one gets the right signs: the law of its unbiased semantics is then exact only if they are
    independent and symmetric.
    """
    other = _other_scenes(scene)
    categories = signs_of(jnp.concatenate([scene.s, other]), unbiased(scene.bias))
    index, found = match_categories(*jnp.split(number_categories(categories), 2))
    magnitude = jnp.abs(other)
    reflected = jnp.where(scene.s > 0, magnitude, -magnitude)
    right_signs = jnp.where(unbiased(scene.bias)[None], reflected, other)
    return _replaced(scene, rate, jnp.where(found[:, None], other[index], right_signs))


def category_alone(scene: Scene, rate: Rate) -> Misaligned:
    """Replaces whole captions by the category with probability `rate`.

    They contain the sign, 1 or -1, of each unbiased semantic, and omit the perturbable ones.
    """
    signs = jnp.where(scene.s > 0, 1.0, -1.0)
    return _replaced(scene, rate, jnp.where(unbiased(scene.bias)[None], signs, 0.0))


def signs_of(s: Rows, unbiased: Mask) -> Bool[Array, "count n"]:
    """Returns the category of each scene: whether each unbiased semantic is positive."""
    return (s > 0) & unbiased[None]


def _other_scenes(scene):
    """As many scenes, independent of the scene and of the same law: float32 [count, n]."""
    return scene.shift(solve_semantics(scene.law, scene.noise_law(scene.normal)))


def _replaced(scene, rate, captions):
    """Scenes of which each has, with probability `rate`, the caption values in `captions`."""
    return _misaligned(scene, jnp.where(scene.uniform[:, :1] < rate, captions, scene.s))


def propagating(scene: Scene, rate: Rate) -> Misaligned:
    """As `noise`; the descendants of a distorted semantic change with it, in image and text."""
    distortion, distorted = _propagate(scene, rate)
    s = scene.shift(distorted - distortion)
    return _misaligned(scene, s + distortion)._replace(s=s)


def propagating_in_text(scene: Scene, rate: Rate) -> Misaligned:
    """As `noise`; the descendants of a distorted semantic change with it, in the text alone."""
    return _misaligned(scene, scene.shift(_propagate(scene, rate)[1]))


def _propagate(scene, rate):
    """The noise on each semantic and the semantics that it causes, float32 [count, n] each."""
    distortion = jnp.where(_at_random(scene, rate), scene.normal @ scene.root_noise.T, 0.0)
    exogenous = scene.exogenous + distortion / scene.law.scale[None]
    return distortion, solve_semantics(scene.law, exogenous)


def _missing(choose: Callable, indicator: bool, scene: Scene, rate: Rate) -> Misaligned:
    """Sets the chosen values to 0; `indicator` shows the text encoder which ones."""
    missing = choose(scene, rate)
    return Misaligned(scene.s, jnp.where(missing, 0.0, scene.s), missing & indicator)


def _at_random(scene, rate):
    """Each perturbable semantic of each pair independently of all values: bool [count, n]."""
    return (scene.uniform < rate) & scene.bias.perturbable[None]


def _by_another_value(scene, rate):
    """More likely the lower the first unbiased semantic is: bool [count, n]."""
    column = scene.s[:, jnp.argmax(unbiased(scene.bias))]
    return _by_value(scene, rate, column[:, None])


def _by_own_value(scene, rate):
    """More likely the lower the semantic itself is: bool [count, n]."""
    return _by_value(scene, rate, scene.s)


def _by_value(scene, rate, values):
    return lower_values(values, scene.uniform, rate) & scene.bias.perturbable[None]


def lower_values(
    values: Float[Array, "count m"], uniform: Rows, rate: Rate
) -> Bool[Array, "count n"]:
    """Returns where (standardised value + noise) / √2 is below the quantile `rate` of a normal.

    values:  float32 [count, n], or [count, 1] for one value that decides about all n.
    uniform: float32 [count, n] in [0, 1), generates the standard normal noise.
    """
    spread = jnp.maximum(values.std(0, keepdims=True), jnp.finfo(values.dtype).tiny)
    standard = (values - values.mean(0, keepdims=True)) / spread
    return (standard + ndtri(uniform)) / jnp.sqrt(2.0) < ndtri(jnp.asarray(rate))


def _misaligned(scene, caption):
    return Misaligned(scene.s, caption, jnp.zeros(caption.shape, bool))


Misalignment = Callable[[Scene, Rate], Misaligned]
MISALIGNMENTS: dict[str, Misalignment] = {
    "noise": noise,
    "strength": strength,
    "mcar": partial(_missing, _at_random, False),
    "mcar_indicator": partial(_missing, _at_random, True),
    "mar": partial(_missing, _by_another_value, False),
    "mar_indicator": partial(_missing, _by_another_value, True),
    "mnar": partial(_missing, _by_own_value, False),
    "mnar_indicator": partial(_missing, _by_own_value, True),
    "shuffled": shuffled,
    "propagating": propagating,
    "propagating_in_text": propagating_in_text,
    "shuffled_in_category": shuffled_in_category,
    "category_alone": category_alone,
}
# kinds with a missing indicator -> the same kind without it
INDICATOR_KINDS = {"mcar_indicator": "mcar", "mar_indicator": "mar", "mnar_indicator": "mnar"}
WITH_INDICATOR = set(INDICATOR_KINDS)  # all kinds whose texts have a missing indicator
WHOLE_CAPTION = {"shuffled"}  # kinds that replace whole captions; no semantic is perturbable
WITHIN_CATEGORY = {"shuffled_in_category", "category_alone"}  # kinds that keep the category alone
CHANGES_SCENE = {"propagating"}  # kinds that change the true semantics, which images show


@dataclasses.dataclass(frozen=True)
class MisalignmentSpec:
    """Static choices of misalignment.

    kinds:    names in `MISALIGNMENTS` that a traced kind may select; only these are compiled.
    captions: number of captions of an image; they share the scene and are misaligned
              independently.

    Raises ValueError for no kind or an unknown one, for fewer than one caption, and for several
    captions with a kind in `CHANGES_SCENE`.
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
        check_count("captions", self.captions)
        for kind in CHANGES_SCENE.intersection(self.kinds):
            if self.captions > 1:
                raise ValueError(
                    f"captions is {self.captions}: allowed is 1 with misalignment {kind!r}, "
                    "where the scene depends on its caption"
                )

    @property
    def has_indicator(self) -> bool:
        """Whether texts have columns with the missing indicator."""
        return not WITH_INDICATOR.isdisjoint(self.kinds)


class CheckedMisalignment(NamedTuple):
    """A misalignment of a user's own, with checks of its result when it is traced.

    indicator, whole_caption, changes_scene: as in `lvm.registry.register_misalignment`.
    """

    name: str
    function: Misalignment
    indicator: bool = False
    whole_caption: bool = False
    changes_scene: bool = False

    def __call__(self, scene: Scene, rate: Rate) -> Misaligned:
        """Returns the result of the function; raises ValueError if it is no caption of each scene.

        Only with `changes_scene` may its `s` be another array than that of the scene.
        """
        part = f"misalignment {self.name!r}"
        missing = jax.ShapeDtypeStruct(scene.s.shape, jnp.bool_)
        result = self.function(scene, rate)
        check_result(part, result, Misaligned(scene.s, scene.s, missing))
        if not self.changes_scene and result.s is not scene.s:
            raise ValueError(f"{part} changes s: allowed is scene.s, or changes_scene=True")
        return result


def misalign(
    spec: MisalignmentSpec, kind: Int[Array, ""] | int | Misalignment, scene: Scene, rate: Rate
) -> Misaligned:
    """Returns one caption of each scene, misaligned by kind number `kind` of MISALIGNMENTS.

    `kind` may also be a function.
    """
    if callable(kind):
        return CheckedMisalignment(getattr(kind, "__name__", repr(kind)), kind)(scene, rate)
    return switch_by_name(MISALIGNMENTS, spec.kinds, kind, scene, rate)
