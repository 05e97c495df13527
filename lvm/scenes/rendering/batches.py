"""Pictures: many scenes rendered, a batch at a time."""

from collections.abc import Iterator
from functools import partial

import jax
import numpy as np
from jaxtyping import UInt8

from lvm.scenes.rendering.render import Quality, render
from lvm.scenes.sampler import Scenes

BATCH = 128  # scenes that are rendered at once
QUALITY = Quality()


def render_batches(
    scenes: Scenes, resolution: int = 64, quality: Quality = QUALITY
) -> Iterator[UInt8[np.ndarray, "_batch height width 3"]]:
    """The pictures of scenes [n] in their order, uint8, BATCH at a time; the last are fewer.

    One program renders all, and renders the next batch while one comes to the host. Raises
    ValueError as `render` does.
    """
    count = len(scenes.shape)
    program = jax.jit(jax.vmap(partial(render, resolution=resolution, quality=quality)))

    def begin(start):
        places = np.minimum(np.arange(start, start + BATCH), count - 1)
        return program(jax.tree.map(lambda leaf: leaf[places], scenes))

    ahead = begin(0)
    for start in range(0, count, BATCH):
        batch, ahead = ahead, begin(start + BATCH) if start + BATCH < count else None
        yield np.asarray(batch)[: count - start]
