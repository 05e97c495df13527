"""Batches: rendering of many scenes, one batch at a time."""

from collections.abc import Iterator
from functools import partial

import jax
import numpy as np
from jaxtyping import UInt8

from lvm.checks import check_count
from lvm.scenes.rendering.render import Quality, render
from lvm.scenes.sampler import Scenes, check_scenes

BATCH = 128  # scenes rendered at once
QUALITY = Quality()


def render_batches(
    scenes: Scenes, resolution: int = 64, quality: Quality = QUALITY
) -> Iterator[UInt8[np.ndarray, "_batch height width 3"]]:
    """Yields the images of scenes [n] in order, uint8, in batches of BATCH; the last may be less.

    One compiled program renders all batches, each while the one before it is copied to the host.
    Raises ValueError as `render` does, and for no scene and latents of different lengths.
    """
    count = len(scenes.shape)
    check_count("the number of scenes", count)
    check_count("resolution", resolution)
    check_scenes(scenes, (count,), ", as scenes.shape")

    def dispatch(start):
        rows = np.minimum(np.arange(start, start + BATCH), count - 1)
        return _render_batch(jax.tree.map(lambda leaf: leaf[rows], scenes), resolution, quality)

    following = dispatch(0)
    for start in range(0, count, BATCH):
        batch, following = following, dispatch(start + BATCH) if start + BATCH < count else None
        yield np.asarray(batch)[: count - start]


@partial(jax.jit, static_argnames=("resolution", "quality"))
def _render_batch(scenes: Scenes, resolution: int, quality: Quality):
    return jax.vmap(partial(render, resolution=resolution, quality=quality))(scenes)
