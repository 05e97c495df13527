import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmcl.encoders.vision import fit_pixels, nested_patches, patches, resnet18, standardise


def random_images(key, *shape):
    return jax.random.randint(key, shape, 0, 256, jnp.uint8)


def float64(tree):
    return jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), tree)


def test_patches_agree_with_numpy(key):
    """The reference loops over layers and patches; images are wider than high."""
    images = random_images(key, 6, 16, 24, 3)
    encoder = patches((5, 7), (6,), outputs=3, slope=0.1)
    params, stats = jax.jit(encoder.init)(key, images)
    pixels = float64(images)
    feature_map = (pixels - pixels.mean((0, 1, 2))) / pixels.std((0, 1, 2))
    for layer, side in enumerate((4, 2)):
        weights = float64(params[f"Dense_{layer}"])
        rows = [
            [
                feature_map[:, i : i + side, j : j + side].reshape(6, -1) @ weights["kernel"]
                for j in range(0, feature_map.shape[2], side)
            ]
            for i in range(0, feature_map.shape[1], side)
        ]
        feature_map = np.moveaxis(np.array(rows), 2, 0) + weights["bias"]
        feature_map = np.where(feature_map > 0, feature_map, 0.1 * feature_map)
    hidden, last = float64(params["Dense_2"]), float64(params["Dense_3"])
    head = feature_map.reshape(6, -1) @ hidden["kernel"] + hidden["bias"]
    expected = np.where(head > 0, head, 0.1 * head) @ last["kernel"] + last["bias"]
    measured = jax.jit(encoder.apply)(params, stats, images)
    np.testing.assert_allclose(measured, expected, atol=1e-4)


def test_nested_patches_contain_every_pixel_once(key):
    images = random_images(key, 2, 16, 32, 3)
    nested = nested_patches(images, (4, 2))
    assert nested.dtype == jnp.uint8
    assert nested.shape == (2, 2, 4, 2, 2, 4, 4, 3)
    np.testing.assert_array_equal(nested[1, 1, 2, 0, 1], images[1, 8:12, 20:24])


@pytest.mark.parametrize("shape", [(18, 16), (16, 12)])
def test_images_whose_sides_do_not_fit_the_patches_are_refused(key, shape):
    message = f"images.shape[1:3] is {shape}: allowed is multiples of 8"
    with pytest.raises(ValueError, match=re.escape(message)):
        patches((4, 4), (), 2, 0.1).init(key, random_images(key, 2, *shape, 3))


def test_pixels_are_standardised_by_the_first_batch(key):
    images = random_images(key, 50, 8, 8, 3).at[..., 1].set(7)
    pixels = standardise(fit_pixels(images), images)
    np.testing.assert_allclose(pixels.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(pixels.std((0, 1, 2)), [1, 0, 1], atol=1e-4)
    params, stats = patches((4,), (), 2, 0.1).init(key, images)
    _, after = patches((4,), (), 2, 0.1).train(params, stats, images // 2)
    jax.tree.map(np.testing.assert_array_equal, after, stats)


@pytest.mark.parametrize("normalization", ["batch", "group"])
def test_resnet18_has_the_parameters_of_the_original(key, normalization):
    encoder = resnet18(outputs=10, normalization=normalization)
    images = jax.ShapeDtypeStruct((2, 64, 64, 3), jnp.uint8)
    params, stats = jax.eval_shape(encoder.init, key, images)
    count = lambda tree: sum(leaf.size for leaf in jax.tree.leaves(tree))
    head = count(params["Dense_0"]) + count(params["Dense_1"])
    assert count(params) - head == 11_176_512  # torchvision's, without its last layer
    assert head == 512 * 100 + 100 + 100 * 10 + 10
    running = 2 * (64 + 4 * 64 + 5 * 128 + 5 * 256 + 5 * 512)
    assert count(stats.running) == (running if normalization == "batch" else 0)
    assert jax.eval_shape(encoder.apply, params, stats, images).shape == (2, 10)


def test_resnet18_halves_sides_five_times(key):
    """As in the original: by the stem, pooling and three of four stages."""
    encoder = resnet18(outputs=4, normalization="batch")
    images = jax.ShapeDtypeStruct((2, 64, 96, 3), jnp.uint8)
    params, stats = jax.eval_shape(encoder.init, key, images)
    text = str(jax.make_jaxpr(encoder.apply)(params, stats, images))
    for shape in ("2,32,48,64", "2,16,24,64", "2,8,12,128", "2,4,6,256", "2,2,3,512"):
        assert f"f32[{shape}]" in text
    assert "f32[2,1,2,512]" not in text


@pytest.fixture(scope="module")
def resnet():
    """A small batch, the parameters and stats of a ResNet18, and its functions train and apply."""
    images = random_images(jax.random.key(1), 4, 32, 32, 3)
    encoder = resnet18(outputs=4, normalization="batch")
    params, stats = jax.jit(encoder.init)(jax.random.key(2), images)
    return images, params, stats, jax.jit(encoder.train), jax.jit(encoder.apply)


def test_running_statistics_are_updated_by_those_of_the_batch(resnet):
    images, params, stats, train, _ = resnet
    _, updated = train(params, stats, images)
    assert jax.tree.structure(updated) == jax.tree.structure(stats)
    jax.tree.map(np.testing.assert_array_equal, updated.inputs, stats.inputs)
    stem = jax.lax.conv_general_dilated(
        standardise(stats.inputs, images),
        params["Conv_0"]["kernel"],
        (2, 2),
        ((3, 3), (3, 3)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    running = updated.running["BatchNorm_0"]
    np.testing.assert_allclose(running["mean"], 0.1 * stem.mean((0, 1, 2)), atol=1e-4)
    np.testing.assert_allclose(running["var"], 0.9 + 0.1 * stem.var((0, 1, 2)), rtol=1e-3)


def test_evaluation_with_batch_statistics_agrees_with_training(resnet):
    images, params, stats, train, apply = resnet
    z, updated = train(params, stats, images)
    assert not np.allclose(apply(params, updated, images), z, atol=0.1)
    of_batch = jax.tree.map(
        lambda new, old: (new - 0.9 * old) / 0.1, updated.running, stats.running
    )
    evaluated = apply(params, stats._replace(running=of_batch), images)
    np.testing.assert_allclose(evaluated, z, atol=1e-2)


def test_rows_are_independent_in_evaluation(resnet):
    images, params, stats, _, apply = resnet
    others = images.at[1:].set(0)
    first = [apply(params, stats, batch)[0] for batch in (images, others)]
    np.testing.assert_allclose(*first, atol=1e-5)


def test_vmap_agrees_with_a_single_resnet(resnet):
    images, params, stats, train, _ = resnet
    both = lambda tree: jax.tree.map(lambda leaf: jnp.stack([leaf, leaf[::-1]]), tree)
    z, updated = jax.jit(jax.vmap(train))(both(params), both(stats), both(images))
    z_alone, updated_alone = train(params, stats, images)
    np.testing.assert_allclose(z[0], z_alone, atol=1e-2)
    first = jax.tree.map(lambda leaf: leaf[0], updated.running["BatchNorm_0"])
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-3),
        first,
        updated_alone.running["BatchNorm_0"],
    )
    assert not np.allclose(z[1], z[0], atol=0.1)


def test_vmap_agrees_with_a_single_encoder_of_patches(key):
    images = random_images(key, 2, 5, 16, 16, 3)
    encoder = patches((4, 5), (), 3, 0.1)
    params, stats = jax.jit(jax.vmap(encoder.init))(jax.random.split(key), images)
    z = jax.jit(jax.vmap(encoder.apply))(params, stats, images)
    second = jax.tree.map(lambda leaf: leaf[1], (params, stats, images))
    np.testing.assert_allclose(z[1], jax.jit(encoder.apply)(*second), atol=1e-5)
