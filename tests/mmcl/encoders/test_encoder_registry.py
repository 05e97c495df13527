"""Encoders of the registry, trained on images of one colour and captions that mention it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

import mmcl
from mmcl.precision import PRODUCTS
from tests.mmcl.test_training import RECIPE, TRAIN, Batch, hyper

IMAGE_RECIPE = mmcl.Recipe(
    **{
        **RECIPE.__dict__,
        "widths": (16, 16),
        "image_encoder": "patches",
        "text_encoder": "tokens",
        "objective": "symmetric_infonce",
        "optimizer": "adam",
        "vocabulary": 10,
        "batch": 16,
        "group": 16,
    }
)


def sample_images(key, count):
    """Noisy images of one of five colours; the second word of a caption mentions the colour."""
    keys = jax.random.split(key, 3)
    labels = jax.random.randint(keys[0], (count,), 0, 5)
    colours = jax.random.randint(jax.random.key(5), (5, 1, 1, 3), 50, 206)
    noise = jax.random.randint(keys[1], (count, 8, 16, 3), -50, 50)
    words = jax.random.randint(keys[2], (count, 4), 6, 10)
    texts = words.at[:, 1].set(labels + 1).at[:, 3].set(0)
    return Batch((colours[labels] + noise).astype(jnp.uint8), texts)


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [
        {"text_widths": (8,)},
        {
            "text_encoder": "text_cnn",
            "normalization": "group",
            "optimizer": "muon",
            "objective": "alignment_max_entropy",
        },
    ],
)
def test_images_and_captions_of_a_colour_are_aligned(key, changes):
    """The loss falls, and in new pairs the nearest caption mentions the colour of the image."""
    recipe = mmcl.Recipe(**{**IMAGE_RECIPE.__dict__, **changes})
    settings = hyper(4, peak=0.01, steps=60)
    first = sample_images(key, 64)
    state = mmcl.init(key, first, recipe=recipe, hyper=settings)
    state, metrics = TRAIN(
        key, state, sample_images, recipe=recipe, hyper=settings, done=0, steps=60
    )
    assert jnp.isfinite(metrics.loss).all()
    assert jnp.isfinite(metrics.grad_norm).all()
    assert metrics.loss[-10:].mean() < metrics.loss[:3].mean() - 0.5
    test = sample_images(jax.random.key(1), 64)
    z = mmcl.encode(state.params, state.stats, test, recipe=recipe, hyper=settings)
    distances = np.square(z.x[:, None] - z.t[None]).sum(-1)
    mentioned = test.t[np.argmin(distances, 1), 1]
    assert (mentioned == test.t[:, 1]).mean() > 0.9


def test_a_step_of_resnet18_keeps_the_structure_of_its_state(key):
    recipe = mmcl.Recipe(
        **{**IMAGE_RECIPE.__dict__, "image_encoder": "resnet18", "batch": 4, "group": 4}
    )
    batch = jax.eval_shape(lambda key: sample_images(key, 4), key)
    state = jax.eval_shape(
        lambda key, batch: mmcl.init(key, batch, recipe=recipe, hyper=hyper(4)), key, batch
    )
    step = lambda state, batch: mmcl.step(
        state, batch, recipe=recipe, hyper=hyper(4), done=jnp.int32(0)
    )
    after, _ = jax.eval_shape(step, state, batch)
    assert jax.tree.structure(after) == jax.tree.structure(state)
    shapes = lambda tree: [(leaf.shape, leaf.dtype) for leaf in jax.tree.leaves(tree)]
    assert shapes(after) == shapes(state)


@pytest.mark.slow
def test_a_diverged_lane_keeps_its_running_statistics_and_affects_no_other(key):
    """One of two lanes under vmap diverges; the other equals a single run up to rounding."""
    recipe = mmcl.Recipe(**{**IMAGE_RECIPE.__dict__, "text_encoder": "text_cnn"})
    keys = jax.random.split(key)

    def run(key, temperature):
        settings = hyper(4, peak=1e-3)._replace(temperature=temperature)
        state = mmcl.init(key, sample_images(key, 64), recipe=recipe, hyper=settings)
        first = jnp.int32(0)
        after, _ = mmcl.train(
            key, state, sample_images, recipe=recipe, hyper=settings, done=first, steps=3
        )
        return state, after

    before, after = jax.jit(jax.vmap(run))(keys, jnp.array([1.0, jnp.nan]))
    assert after.failed_at.tolist() == [-1, 0]
    lane = lambda index, tree: jax.tree.map(lambda leaf: leaf[index], tree)
    jax.tree.map(np.testing.assert_array_equal, lane(1, after.stats), lane(1, before.stats))
    _, alone = jax.jit(run)(keys[0], jnp.float32(1.0))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-3), lane(0, after.stats), alone.stats
    )
    differ = lambda a, b: np.testing.assert_(not np.allclose(a, b, atol=1e-3))
    jax.tree.map(differ, lane(0, after.stats.t.running), lane(0, before.stats.t.running))
    jax.tree.map(np.testing.assert_array_equal, after.stats.x, before.stats.x)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator rounds in hardware")
@pytest.mark.parametrize(
    "changes", [{}, {"image_encoder": "resnet18", "text_encoder": "text_cnn", "optimizer": "soap"}]
)
def test_both_factors_of_every_product_inside_encoders_are_rounded(key, changes):
    """In the forward and the backward pass; all other products are explicitly float32."""
    recipe = mmcl.Recipe(**IMAGE_RECIPE.__dict__ | changes | {"precision": "bfloat16"})
    batch = jax.eval_shape(lambda key: sample_images(key, 16), key)
    state = jax.eval_shape(
        lambda key, batch: mmcl.init(key, batch, recipe=recipe, hyper=hyper(4)), key, batch
    )
    step = lambda state, batch: mmcl.step(
        state, batch, recipe=recipe, hyper=hyper(4), done=jnp.int32(0)
    )
    factors = list(factors_of_products(jax.make_jaxpr(step)(state, batch).jaxpr))
    assert len(factors) >= 3 * 6  # a layer has one product forward and two backward
    assert all(primitives == ["reduce_precision"] * 2 for primitives in factors)


def factors_of_products(jaxpr):
    """Yields the primitives behind both factors of each product that is not explicitly float32."""
    source = {out: equation.primitive.name for equation in jaxpr.eqns for out in equation.outvars}
    for equation in jaxpr.eqns:
        precision = jax.tree.leaves(equation.params.get("precision"))
        if equation.primitive.name in PRODUCTS and jax.lax.Precision.HIGHEST not in precision:
            yield [source.get(factor) for factor in equation.invars]
        for inner in jaxprs_in_params(equation.params):
            yield from factors_of_products(inner)
