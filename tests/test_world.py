import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm

SPEC = lvm.WorldSpec(semantics=4, image_only=2, text_only=3)


def test_shapes(key):
    world = lvm.init_world(key, SPEC, jnp.int32(1))
    shapes = jax.tree.map(jnp.shape, world)
    assert shapes.semantics.weights == (4, 4)
    assert (shapes.root_x, shapes.root_t, shapes.root_noise) == ((2, 2), (3, 3), (4, 4))
    assert (shapes.mixing_x, shapes.mixing_t) == ((3, 6, 6), (3, 7, 7))


def test_worlds_of_one_key_differ_by_the_law_of_their_semantics_only(key):
    worlds = [lvm.init_world(key, SPEC, jnp.int32(d)) for d in range(2)]
    jax.tree.map(np.testing.assert_array_equal, worlds[0][1:], worlds[1][1:])
    assert not np.array_equal(worlds[0].semantics.scale, worlds[1].semantics.scale)


@pytest.mark.parametrize("field", ["semantics", "image_only", "text_only", "mixing_layers"])
def test_sizes_below_one(field):
    with pytest.raises(ValueError, match=f"world.{field} is 0: allowed is 1 or more"):
        lvm.WorldSpec(**{field: 0})
