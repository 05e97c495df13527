"""The objectives beside the paper's against float64, their invariances, and known losses."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.modalities import Modalities
from mmcl.objectives.registry import OBJECTIVES
from mmcl.objectives.similarities import SIMILARITIES
from tests.mmcl.objectives.compiled import (
    IN_UNITS_OF_TEMPERATURE,
    D,
    N,
    value,
    value_and_gradient,
)
from tests.mmcl.objectives.references import (
    REFERENCES,
    alignment,
    as64,
    decoupled64,
    decoupled_intra_modal64,
    infonce_intra_modal64,
    norm,
    siglip64,
    sphere_uniformity64,
)


@pytest.mark.accelerator
@pytest.mark.parametrize("name", REFERENCES)
def test_against_float64(z, name):
    measured = value(name, z)
    np.testing.assert_allclose(measured, REFERENCES[name](as64(z)), rtol=1e-4)


@pytest.mark.parametrize("name", REFERENCES)
def test_gradients_against_differences_of_float64(z, name):
    """Along one direction; also right where `siglip` and neighbours stop gradients."""
    direction = jax.tree.map(lambda leaf: np.cos(7 * leaf), as64(z))
    shifted = lambda step: jax.tree.map(lambda a, b: a + step * b, as64(z), direction)
    grads = value_and_gradient(name, z)[1]
    slope = sum(np.vdot(a, b) for a, b in zip(grads, direction, strict=True))
    difference = (REFERENCES[name](shifted(1e-5)) - REFERENCES[name](shifted(-1e-5))) / 2e-5
    np.testing.assert_allclose(slope, difference, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("reference", [decoupled64, siglip64])
@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_contrastive_objectives_with_other_similarities_against_float64(z, reference, similarity):
    unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = lambda z: unit(z.x) @ unit(z.t).T
    inner = {"dot": lambda z: z.x @ z.t.T, "cosine": cosines}[similarity]
    name = reference.__name__.removesuffix("64").replace("decoupled", "decoupled_infonce")
    loss = jax.jit(OBJECTIVES[name].function, static_argnums=2)
    measured = loss(z, 0.5, SIMILARITIES[similarity])
    expected = reference(as64(z), lambda z: inner(z) / 0.5)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_uniformity_has_a_kernel_scale_and_weights_of_both_terms(z):
    function = OBJECTIVES["alignment_uniformity_on_sphere"].function
    weighted = partial(function, alignment_weight=3.0, uniformity_weight=0.25)
    measured = jax.jit(weighted)(z, 0.5)
    expected = sphere_uniformity64(as64(z), 4.0, (3.0, 0.25))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.05, 1.0, 3.0])
def test_intra_modal_objectives_at_other_temperatures_against_float64(z, temperature):
    measured = value("infonce_intra_modal", z, temperature=temperature)
    expected = infonce_intra_modal64(as64(z), temperature)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)
    decoupled = jax.jit(OBJECTIVES["decoupled_infonce_intra_modal"].function, static_argnums=2)
    measured = decoupled(z, temperature, SIMILARITIES["cosine"])
    cosines = lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b) / temperature
    np.testing.assert_allclose(measured, decoupled_intra_modal64(as64(z), cosines), rtol=1e-5)


def test_the_sphere_objective_does_not_depend_on_norms(z):
    longer = Modalities(z.x * jnp.arange(1.0, N + 1)[:, None], 7 * z.t)
    for name in ("alignment_uniformity_on_sphere", "infonce_intra_modal"):
        np.testing.assert_allclose(value(name, longer), value(name, z), rtol=1e-5)


def test_intra_modal_negatives_of_equal_representations_have_a_known_loss():
    """All 2n - 1 candidates are equally similar: log(2n - 1), and 0 without the positive."""
    z = Modalities(*jnp.ones((2, N, D)))
    np.testing.assert_allclose(value("infonce_intra_modal", z), np.log(2 * N - 1), rtol=1e-6)
    np.testing.assert_allclose(value("decoupled_infonce_intra_modal", z), 0, atol=1e-6)


def test_released_vicreg_halves_the_variance_term_only(z):
    """Columns of variance above 1 have no variance term; near 0 it is 25 and 2 · 25."""
    wide = jax.tree.map(lambda leaf: 100 * leaf, z)
    np.testing.assert_allclose(value("vicreg_released", wide), value("vicreg", wide), rtol=1e-6)
    narrow = jax.tree.map(lambda leaf: 1e-4 * leaf, z)
    difference = value("vicreg", narrow) - value("vicreg_released", narrow)
    np.testing.assert_allclose(difference, 25 * (1 - 0.01), rtol=1e-4)


@pytest.mark.parametrize("name", IN_UNITS_OF_TEMPERATURE)
def test_temperature_is_the_unit_of_squared_distances(z, name):
    scaled = jax.tree.map(lambda leaf: 3 * leaf, z)
    np.testing.assert_allclose(value(name, scaled, temperature=9.0), value(name, z), rtol=1e-4)


@pytest.mark.parametrize("spread", [0.01, 1.0, 3.0, 10.0, 1000.0])
def test_siglip_finds_its_bias_at_any_distance_of_pairs(z, spread):
    far = Modalities(spread * z.x, spread * z.x + 0.3 * z.t)
    np.testing.assert_allclose(value("siglip", far), siglip64(as64(far)), rtol=1e-3, atol=1e-5)


def test_barlow_twins_and_regression_are_invariant_to_scale(z):
    stretched = Modalities(100 * z.x + 5, z.t / 10)
    for name in ("barlow_twins", "whitened_regression"):
        np.testing.assert_allclose(value(name, stretched), value(name, z), rtol=1e-3)


@pytest.mark.parametrize("name", ["barlow_twins", "whitened_regression"])
@pytest.mark.parametrize("constant", [0.3, 12345.678])
def test_a_constant_column_is_not_correlated_with_itself(z, name, constant):
    """Its correlation of 0 adds 1 to the loss, however far it is from 0."""
    two = jax.tree.map(lambda leaf: leaf.at[:, -1].set(0.0), z)
    three = jax.tree.map(lambda leaf: leaf.at[:, -1].set(constant), z)
    np.testing.assert_allclose(value(name, three), value(name, two) + 1, rtol=1e-5)


def test_regression_is_invariant_to_a_linear_map(z, key):
    mapped = Modalities(z.x @ (jnp.eye(D) + 0.3 * jax.random.normal(key, (D, D))), z.t)
    measured, expected = (value("whitened_regression", pairs) for pairs in (mapped, z))
    np.testing.assert_allclose(measured, expected, rtol=1e-2)


@pytest.mark.parametrize(
    "entropy", [name for name in IN_UNITS_OF_TEMPERATURE if name.startswith("alignment")]
)
def test_an_entropy_is_as_exact_far_from_the_origin(z, entropy):
    far = Modalities(z.x + 1000, z.t + 1000)
    near = Modalities(far.x - 1000, far.t - 1000)  # with the rounding of `far`
    expected = value_and_gradient(entropy, near, temperature=0.7)
    measured = value_and_gradient(entropy, far, temperature=0.7)
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    jax.tree.map(close, measured, expected)


@pytest.mark.parametrize("rows", [1, 3])
def test_fewer_rows_than_neighbours_have_no_entropy(z, rows):
    """The loss is the alignment and the norm."""
    few = jax.tree.map(lambda leaf: leaf[:rows], z)
    expected = alignment(as64(few)) + norm(as64(few))
    measured = jax.jit(OBJECTIVES["alignment_max_neighbour_entropy"].function)(few, 1.0)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)
