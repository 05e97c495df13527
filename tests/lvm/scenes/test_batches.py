import jax
import numpy as np
import pytest

import lvm
from lvm.scenes.rendering import batches as batches_module
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.rendering.render import Quality

QUALITY = Quality(steps=6, shadow_steps=2)


def scenes_of(count):
    return jax.device_get(lvm.sample_scenes(jax.random.key(2), count))


@pytest.mark.parametrize("count", [1, 5, 8])
def test_scenes_are_rendered_in_order_and_in_batches(count, monkeypatch):
    monkeypatch.setattr(batches_module, "BATCH", 4)
    scenes = scenes_of(count)
    batches = list(render_batches(scenes, 8, QUALITY))
    assert [len(batch) for batch in batches] == {1: [1], 5: [4, 1], 8: [4, 4]}[count]
    alone = jax.jit(lambda scene: lvm.render(scene, 8, QUALITY))
    for index, image in enumerate(np.concatenate(batches)):
        expected = alone(jax.tree.map(lambda leaf, index=index: leaf[index], scenes))
        assert image.dtype == np.uint8
        np.testing.assert_allclose(image.astype(int), np.asarray(expected, int), atol=1)


def test_a_resolution_below_1_is_refused():
    with pytest.raises(ValueError, match="resolution is 0: allowed is 1 or more"):
        next(render_batches(scenes_of(1), 0))
