"""Scenes: the domains of rendered scenes, rendered here or read as Causal3DIdent."""

from collections.abc import Callable, Iterable

import jax
import numpy as np
from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import (
    CaptionedDomain,
    ImageSplits,
    LabelledImages,
    captioned_domain,
)
from experiments.domains.captioned_scores import FACTOR_PROBES
from experiments.domains.color_tables import COLOR_TABLES
from experiments.runtime.checks import require_least, select_known
from lvm import datasets
from lvm.captions.scene_words import SCENE_VARIANTS, make_scene_words, word_values
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.rendering.render import Quality

VALUES = ("s_pos", "color", "s_color", "b_color", "alpha", "beta", "gamma")  # continuous in images
SPARE = 12  # columns beyond one for each semantic, so that labels and hues have room
MIN_IMAGES = 20  # so that none of the splits is empty


def make_scenes(config: ConfigDict) -> CaptionedDomain:
    """Returns the domain of scenes that a seed samples, rendered when a run begins.

    Raises ValueError for a field that is out of range.
    """
    least = {"resolution": 4, "samples": 1, "seed": 0, "images": MIN_IMAGES}
    require_least(config, {f"world.{field}": value for field, value in least.items()})
    world = config.world

    def read(report_fraction):
        scenes = jax.device_get(lvm.sample_scenes(jax.random.key(world.seed), world.images))
        batches = render_batches(scenes, world.resolution, Quality(samples=world.samples))
        shape = (world.images, world.resolution, world.resolution, 3)
        return _gather(shape, batches, report_fraction), scenes

    return _domain(config, (world.resolution, world.resolution, 3), read)


def make_causal3dident(config: ConfigDict) -> CaptionedDomain:
    """Returns the domain of the images in a folder of Causal3DIdent, with generated captions.

    Raises ValueError for a field that is out of range or missing.
    """
    require_least(config, {"world.height": 4, "world.width": 4})
    world = config.world
    if world.data is None:
        raise ValueError(
            "world.data is missing: give the folder of the data set, as in "
            "--config.world.data=causal3dident; docs/data.md lists its files"
        )

    def read(report_fraction):
        images, latents = datasets.read_causal3dident(
            world.data,
            height=world.height,
            width=world.width,
            cache=world.cache,
            show=report_fraction,
        )
        return images, datasets.scenes_from_columns(latents)

    return _domain(config, (world.height, world.width, 3), read)


def _domain(config: ConfigDict, shape: tuple[int, int, int], read: Callable) -> CaptionedDomain:
    """The domain of images and scenes, in the order of their splits."""
    world = config.world
    words = make_scene_words(COLOR_TABLES, world.disjoint_words)
    if world.variant not in SCENE_VARIANTS:
        allowed = ", ".join(SCENE_VARIANTS)
        raise ValueError(f"world.variant is {world.variant!r}: allowed is one of {allowed}")

    def read_splits(report_fraction):
        images, scenes = read(report_fraction)
        factors = np.asarray(word_values(words, scenes, world.variant))
        values = np.stack([np.asarray(getattr(scenes, name)) for name in VALUES], axis=1)
        splits = datasets.file_order_splits(len(images))

        def select(split):
            rows = slice(split[0], split[-1] + 1)  # a view: a copy would double the memory
            return LabelledImages(images[rows], factors[rows], values[rows])

        return ImageSplits(select(splits.train), select(splits.test))

    return captioned_domain(
        words.language,
        select_known("evaluation.probes", config.evaluation.probes, FACTOR_PROBES),
        read_splits,
        may_equal_truth=world.may_equal_truth,
        image_shape=shape,
        values=VALUES,
        spare=SPARE,
    )


def _gather(
    shape: tuple[int, ...],
    batches: Iterable[np.ndarray],
    report_fraction: Callable[[float], object],
) -> np.ndarray:
    """All batches as one array."""
    images, done = np.empty(shape, np.uint8), 0
    for batch in batches:
        images[done : done + len(batch)] = batch
        done += len(batch)
        report_fraction(done / len(images))
    return images
