"""Scenes: the domains of rendered scenes, of our own and in the layout of Causal3DIdent."""

from collections.abc import Callable, Iterable

import jax
import numpy as np
from ml_collections import ConfigDict

import lvm
from experiments.domains.captioned import Labelled, Pictures, captioned_domain
from experiments.domains.captioned_scores import JUDGES
from experiments.domains.color_tables import COLOR_TABLES
from experiments.domains.domain import Domain
from experiments.runtime.checks import require_least, take_known
from lvm import datasets
from lvm.captions.scene_words import SCENE_VARIANTS, make_scene_words, word_values
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.rendering.render import Quality

VALUES = ("s_pos", "color", "s_color", "b_color", "alpha", "beta", "gamma")  # numbers in pictures
SPARE = 12  # columns beyond one a semantic, so that labels and hues can have what they span
LEAST = 20  # images, so that none of the splits is empty


def make_scenes(config: ConfigDict) -> Domain:
    """The domain of scenes that are drawn by a seed and rendered when a run begins.

    Raises ValueError for a field out of range.
    """
    least = {"resolution": 4, "samples": 1, "seed": 0, "images": LEAST}
    require_least(config, {f"world.{field}": value for field, value in least.items()})
    world = config.world

    def load(show):
        scenes = jax.device_get(lvm.sample_scenes(jax.random.key(world.seed), world.images))
        batches = render_batches(scenes, world.resolution, Quality(samples=world.samples))
        shape = (world.images, world.resolution, world.resolution, 3)
        return _gather(shape, batches, show), scenes

    return _domain(config, (world.resolution, world.resolution, 3), load)


def make_causal3dident(config: ConfigDict) -> Domain:
    """The domain of the images in a folder in the layout of Causal3DIdent, with captions of ours.

    Raises ValueError for a field out of range or missing.
    """
    require_least(config, {"world.height": 4, "world.width": 4})
    world = config.world
    if world.data is None:
        raise ValueError(
            "world.data is missing: give the folder of the data set, as in "
            "--config.world.data=causal3dident; lvm/datasets/causal3dident/reading.py "
            "lists its files"
        )

    def load(show):
        images, latents = datasets.read_causal3dident(
            world.data, height=world.height, width=world.width, cache=world.cache, show=show
        )
        return images, datasets.scenes_from_columns(latents)

    return _domain(config, (world.height, world.width, 3), load)


def _domain(config: ConfigDict, shape: tuple[int, int, int], load: Callable) -> Domain:
    """The domain of images and scenes that are loaded, in the order of their splits."""
    world = config.world
    words = make_scene_words(COLOR_TABLES, world.disjoint_words)
    if world.variant not in SCENE_VARIANTS:
        allowed = ", ".join(SCENE_VARIANTS)
        raise ValueError(f"world.variant is {world.variant!r}: allowed is one of {allowed}")

    def load_pictures(show):
        images, scenes = load(show)
        factors = np.asarray(word_values(words, scenes, world.variant))
        values = np.stack([np.asarray(getattr(scenes, name)) for name in VALUES], axis=1)
        splits = datasets.file_order_splits(len(images))

        def of(split):
            rows = slice(split[0], split[-1] + 1)  # a view: a copy would double what is in memory
            return Labelled(images[rows], factors[rows], values[rows])

        return Pictures(of(splits.train), of(splits.test))

    return captioned_domain(
        words.language,
        take_known("evaluation.probes", config.evaluation.probes, JUDGES),
        world.may_equal_truth,
        shape,
        load_pictures,
        VALUES,
        SPARE,
    )


def _gather(
    shape: tuple[int, ...], batches: Iterable[np.ndarray], show: Callable[[float], None]
) -> np.ndarray:
    """All batches as one array; `show` hears the share that is there."""
    images, done = np.empty(shape, np.uint8), 0
    for batch in batches:
        images[done : done + len(batch)] = batch
        done += len(batch)
        show(done / len(images))
    return images
