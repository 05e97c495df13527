"""Omission: the kinds of misalignment of generated captions, which replace or omit values.

docs/misalignment.md defines the kinds. The kind of a lane is traced, as for latents.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from lvm.bias import Bias, unbiased
from lvm.captions.generation import replace_values, shuffle_in_category
from lvm.captions.language import Language
from lvm.checks import check_mask, check_probability
from lvm.latents.misalignment import lower_values
from lvm.latents.switch import check_index

Rate = Float[Array, ""] | float


class Described(NamedTuple):
    """Images to be described.

    factors:         int32 [n, factors], the true values, in the order of the language.
    bias:            of the captions.
    may_equal_truth: whether the value that replaces a distorted one may be the true value.
    others:          int32 [others, factors], factors of images that shuffled captions belong to, in
                     random order; None for the images themselves, shuffled.
    """

    language: Language
    factors: Int[Array | np.ndarray, "n factors"]
    bias: Bias
    may_equal_truth: bool = True
    others: Int[Array | np.ndarray, "others factors"] | None = None


class CaptionContent(NamedTuple):
    """The values and factors of captions.

    values:    int32 [n, factors], of all factors.
    mentioned: bool [n, factors], the factors whose values captions mention.
    """

    values: Int[Array, "n factors"]
    mentioned: Bool[Array, "n factors"]


def noise(key: Key[Array, ""], described: Described, rate: Rate) -> CaptionContent:
    """Redraws each perturbable value with probability `rate`, as in the paper."""
    values = replace_values(
        key,
        described.language,
        described.factors,
        perturbable=described.bias.perturbable,
        probability=rate,
        may_equal_truth=described.may_equal_truth,
    )
    return CaptionContent(values, jnp.broadcast_to(described.bias.selected, values.shape))


def shuffled_in_category(key: Key[Array, ""], described: Described, rate: Rate) -> CaptionContent:
    """Replaces captions by those of other images with the same unbiased factors."""
    key_which, key_others = jax.random.split(key)
    factors, others, bias = jnp.asarray(described.factors), described.others, described.bias
    values = shuffle_in_category(
        key_which,
        described.language,
        factors,
        jax.random.permutation(key_others, factors) if others is None else others,
        category=unbiased(bias),
        probability=rate,
    )
    return CaptionContent(values, jnp.broadcast_to(bias.selected, values.shape))


def _omit(choose: Callable, key, described: Described, rate: Rate) -> CaptionContent:
    factors, bias = jnp.asarray(described.factors), described.bias
    omitted = choose(described, jax.random.uniform(key, factors.shape), rate)
    omitted = omitted & jnp.asarray(bias.perturbable)[None]
    return CaptionContent(factors, jnp.asarray(bias.selected)[None] & ~omitted)


def _at_random(described, uniform, rate):
    """Each value of each caption independently of all values."""
    return uniform < rate


def _by_another_value(described, uniform, rate):
    """More likely the lower the number of the value of the first unbiased factor is."""
    column = described.factors[:, jnp.argmax(unbiased(described.bias))]
    return lower_values(jnp.asarray(column[:, None], jnp.float32), uniform, rate)


def _by_own_value(described, uniform, rate):
    """More likely the lower the number of the value itself is."""
    return lower_values(jnp.asarray(described.factors, jnp.float32), uniform, rate)


CAPTION_MISALIGNMENTS: dict[str, Callable[..., CaptionContent]] = {
    "noise": noise,
    "mcar": partial(_omit, _at_random),
    "mar": partial(_omit, _by_another_value),
    "mnar": partial(_omit, _by_own_value),
    "shuffled_in_category": shuffled_in_category,
}
OMISSIONS = ("mcar", "mar", "mnar")  # kinds that omit factors


def misalign_captions(
    key: Key[Array, ""], kind: Int[Array, ""] | int, described: Described, rate: Rate
) -> CaptionContent:
    """Returns the content of one caption of each image, by kind number `kind` of the table.

    Omission is possible for perturbable factors alone. The segment of an omitted factor is absent
    from its caption, so that the caption shows that it is omitted.

    Raises ValueError for a mask of another length, a known rate that is no probability, and a known
    kind that is not in the table.
    """
    for name, mask in described.bias._asdict().items():
        check_mask(name, mask, len(described.language.factors), ", one per factor")
    check_probability("rate", rate)
    check_index(kind, CAPTION_MISALIGNMENTS, "kind")
    # a few integers for each caption: all kinds are computed, as under `vmap` in any case
    every = [function(key, described, rate) for function in CAPTION_MISALIGNMENTS.values()]
    return jax.tree.map(lambda *parts: jnp.stack(parts)[kind], *every)
