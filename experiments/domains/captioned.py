"""Captioned: the domains of labelled images that captions describe, whatever the images show."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, UInt8

import lvm
from experiments.domains.captioned_scores import (
    Judge,
    Targets,
    glance_captioned,
    glance_row,
    score_captioned,
    score_rows,
    scores_per_lane,
)
from experiments.domains.domain import Domain, Words
from experiments.sweep.settings import PAPERS
from lvm.captions.generation import replace_values

LAW = "natural"  # the joint law of the factors, as the data have it
SPARE = 4  # columns of a representation beyond one a factor


class Labelled(NamedTuple):
    """Images with what they show.

    factors: what captions can tell, values from 0 in the order of a language. values: what is
    measured as a number; a factor that is a number in images is there too.
    """

    images: UInt8[Array | np.ndarray, "n height width channels"]
    factors: Int[Array | np.ndarray, "n factors"]
    values: Float[Array | np.ndarray, "n values"]


class Pictures(NamedTuple):
    """What all lanes read: images to train on and others to test on."""

    train: Labelled
    test: Labelled


class CaptionedPairs(NamedTuple):
    """Images x, captions t as token ids, and what they are of; phrasings count from 0."""

    x: UInt8[Array, "n height width channels"]
    t: Int[Array, "n length"]
    factors: Int[Array, "n factors"]
    values: Float[Array, "n values"]
    phrasing: Int[Array, " n"]


def labelled(images: np.ndarray, factors: np.ndarray) -> Labelled:
    """Images that show labels alone."""
    return Labelled(images, factors, np.zeros((len(images), 0), np.float32))


def captioned_domain(
    language: lvm.Language,
    judges: Mapping[str, Judge],
    may_equal_truth: bool,
    shape: tuple[int, int, int],
    load: Callable[[Callable[[float], None]], Pictures],
    values: tuple[str, ...] = (),
    spare: int = SPARE,
) -> Domain:
    """The domain of images of a shape [height, width, channels] in the words of a language.

    With `may_equal_truth` a distorted value is drawn from all, so that it may be the true one. `values`
    are the names of those of `Labelled`; a factor of the same name is measured as a number.
    `spare` columns of a representation are beyond one a factor.
    """
    names = language.names
    sizes = dict(zip(names, language.sizes, strict=True))
    labels = {name: size for name, size in sizes.items() if name not in values}
    targets = Targets(tuple(labels), values)
    caption = partial(caption_images, language, may_equal_truth)
    blank = Labelled(
        np.zeros((1, *shape), np.uint8),
        np.zeros((1, len(names)), np.int32),
        np.zeros((1, len(values)), np.float32),
    )

    def sample(shared, world, lane, key, count):
        del world
        key_rows, key_caption = jax.random.split(key)
        rows = jax.random.randint(key_rows, (count,), 0, len(shared.train.images))
        return caption(lane, key_caption, jax.tree.map(lambda leaf: leaf[rows], shared.train))

    return Domain(
        semantics=names,
        laws=(LAW,),
        misalignments=(PAPERS,),
        outputs=len(names) + spare,
        vocabulary=len(language.vocabulary),
        scores=scores_per_lane(len(judges), targets, len(names)),
        blank=Pictures(blank, blank),
        load=load,
        init_world=lambda key, lane: (),
        sample=sample,
        score=partial(score_captioned, judges, language, targets, caption),
        glance=partial(glance_captioned, language, targets, caption),
        rows=partial(score_rows, names, targets),
        glance_row=partial(glance_row, targets),
        words=Words(caption, partial(lvm.sentences, language), labels, values),
    )


def caption_images(language, may_equal_truth, lane, key, shown: Labelled) -> CaptionedPairs:
    """The images with a caption each, as the lane's bias has it."""
    key_phrasing, key_values = jax.random.split(key)
    images, factors, values = shown
    phrasing = jax.random.randint(key_phrasing, (len(images),), 0, len(language.phrasings))
    told = replace_values(
        key_values,
        language,
        factors,
        perturbable=lane.bias.perturbable,
        probability=lane.noise_probability,
        may_equal_truth=may_equal_truth,
    )
    ids = lvm.generate_captions(language, told, phrasing, lane.bias.selected)
    return CaptionedPairs(images, ids, factors, values, phrasing)
