import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm

SPEC = lvm.WorldSpec(semantics=4, image_only=2, text_only=3)


def test_parameters_have_the_documented_shapes(key):
    world = lvm.init_world(key, SPEC, jnp.int32(1))
    shapes = jax.tree.map(jnp.shape, world)
    assert shapes.semantics.weights == (4, 4)
    assert (shapes.root_x, shapes.root_t, shapes.root_noise) == ((2, 2), (3, 3), (4, 4))
    assert (shapes.mixing_x, shapes.mixing_t) == ((3, 6, 6), (3, 7, 7))


def test_worlds_of_one_key_differ_only_in_the_law_of_their_semantics(key):
    worlds = [lvm.init_world(key, SPEC, jnp.int32(d)) for d in range(2)]
    jax.tree.map(np.testing.assert_array_equal, worlds[0][1:], worlds[1][1:])
    assert not np.array_equal(worlds[0].semantics.scale, worlds[1].semantics.scale)


def reference(key, dependence):
    spec = lvm.WorldSpec(semantics=4, image_only=2, text_only=2, variant="reference")
    return lvm.init_world(key, spec, jnp.int32(list(lvm.DEPENDENCES).index(dependence)))


def test_the_reference_has_identity_covariances_if_semantics_are_independent(key):
    world = reference(key, "independent")
    for root in (world.root_x, world.root_t, world.root_noise):
        np.testing.assert_array_equal(root, np.eye(len(root)))


def test_the_reference_draws_one_covariance_twice_if_semantics_are_dependent(key):
    world = reference(key, "dependent")
    np.testing.assert_array_equal(world.root_x, world.root_t)
    cov = lvm.covariance(world.semantics)
    np.testing.assert_allclose(world.root_noise @ world.root_noise.T, cov, rtol=1e-3, atol=1e-3)


def test_invalid_variants_are_refused():
    with pytest.raises(ValueError, match="world.variant is 'mine': allowed is one of paper, ref"):
        lvm.WorldSpec(variant="mine")
    with pytest.raises(ValueError, match="world.text_only is 3: allowed is world.image_only, 2"):
        lvm.WorldSpec(image_only=2, text_only=3, variant="reference")


@pytest.mark.parametrize("field", ["semantics", "image_only", "text_only", "mixing_layers"])
def test_sizes_below_1_are_refused(field):
    with pytest.raises(ValueError, match=f"world.{field} is 0: allowed is 1 or more"):
        lvm.WorldSpec(**{field: 0})
