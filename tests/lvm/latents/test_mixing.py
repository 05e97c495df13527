import jax
import numpy as np
import pytest

import lvm
from lvm.latents.mixing import SLOPE, init_mixing, unmix


@pytest.mark.parametrize("layers", [1, 3])
def test_unmix_inverts_mix(key, layers):
    mixing = init_mixing(key, 15, layers)
    z = 3 * jax.random.normal(key, (200, 15))
    np.testing.assert_allclose(unmix(mixing, lvm.mix(mixing, z)), z, atol=2e-3)


def test_mix_is_a_leaky_relu_network(key):
    mixing = init_mixing(key, 4, 3)
    z = jax.random.normal(key, (30, 4))
    expected = np.asarray(z, np.float64)
    for layer, weight in enumerate(np.asarray(mixing, np.float64)):
        expected = expected @ weight
        if layer < 2:
            expected = np.where(expected > 0, expected, SLOPE * expected)
    np.testing.assert_allclose(lvm.mix(mixing, z), expected, atol=1e-5)


def test_weights_have_unit_columns_and_are_well_conditioned(key):
    mixings = jax.jit(jax.vmap(lambda k: init_mixing(k, 15)))(jax.random.split(key, 20))
    np.testing.assert_allclose(np.linalg.norm(mixings, axis=-2), 1, rtol=1e-5)
    assert np.linalg.cond(np.asarray(mixings, np.float64)).max() < 25
