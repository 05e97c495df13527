"""Training the encoders that a recipe names, on photographs of a colour and texts that name it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.core import jaxprs_in_params

import mmcl
from mmcl.precision import PRODUCTS
from tests.mmcl.test_training import RECIPE, TRAIN, Batch, hyper

PHOTOGRAPHS = mmcl.Recipe(
    **{
        **RECIPE.__dict__,
        "image_encoder": "patches",
        "text_encoder": "tokens",
        "objective": "symmetric_infonce",
        "optimizer": "adam",
        "vocabulary": 10,
        "batch": 16,
        "group": 16,
    }
)


def sample_photographs(key, count):
    """One of five colours, noisy, and a text whose second word names it among other words."""
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
def test_photographs_and_captions_find_each_other(key, changes):
    """Loss falls from chance toward what five labels allow, for new pairs too."""
    recipe = mmcl.Recipe(**{**PHOTOGRAPHS.__dict__, **changes})
    settings = hyper(4, peak=0.01, steps=60)
    first = sample_photographs(key, 64)
    state = mmcl.init(key, first, recipe=recipe, hyper=settings)
    state, metrics = TRAIN(
        key, state, sample_photographs, recipe=recipe, hyper=settings, done=0, steps=60
    )
    assert jnp.isfinite(metrics.loss).all()
    assert jnp.isfinite(metrics.grad_norm).all()
    assert metrics.loss[-10:].mean() < metrics.loss[:3].mean() - 0.5
    test = sample_photographs(jax.random.key(1), 64)
    z = mmcl.encode(state.params, state.stats, test, recipe=recipe, hyper=settings)
    distances = np.square(z.x[:, None] - z.t[None]).sum(-1)
    named = test.t[np.argmin(distances, 1), 1]
    assert (named == test.t[:, 1]).mean() > 0.9


def test_resnet18_takes_a_step(key):
    recipe = mmcl.Recipe(
        **{**PHOTOGRAPHS.__dict__, "image_encoder": "resnet18", "batch": 4, "group": 4}
    )
    batch = jax.eval_shape(lambda key: sample_photographs(key, 4), key)
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
def test_a_frozen_lane_keeps_its_running_statistics_and_is_alone(key):
    """Of two lanes under vmap one is sick; the other is as without it, to rounding."""
    recipe = mmcl.Recipe(**{**PHOTOGRAPHS.__dict__, "text_encoder": "text_cnn"})
    keys = jax.random.split(key)

    def run(key, temperature):
        settings = hyper(4, peak=1e-3)._replace(temperature=temperature)
        state = mmcl.init(key, sample_photographs(key, 64), recipe=recipe, hyper=settings)
        first = jnp.int32(0)
        after, _ = mmcl.train(
            key, state, sample_photographs, recipe=recipe, hyper=settings, done=first, steps=3
        )
        return state, after

    before, after = jax.jit(jax.vmap(run))(keys, jnp.array([1.0, jnp.nan]))
    assert after.failed_at.tolist() == [-1, 0]
    lane = lambda number, tree: jax.tree.map(lambda leaf: leaf[number], tree)
    jax.tree.map(np.testing.assert_array_equal, lane(1, after.stats), lane(1, before.stats))
    _, alone = jax.jit(run)(keys[0], jnp.float32(1.0))
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, atol=1e-3), lane(0, after.stats), alone.stats
    )
    moved = lambda a, b: np.testing.assert_(not np.allclose(a, b, atol=1e-3))
    jax.tree.map(moved, lane(0, after.stats.t.running), lane(0, before.stats.t.running))
    jax.tree.map(np.testing.assert_array_equal, after.stats.x, before.stats.x)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator rounds by itself")
@pytest.mark.parametrize(
    "changes", [{}, {"image_encoder": "resnet18", "text_encoder": "text_cnn", "optimizer": "soap"}]
)
def test_both_factors_of_every_product_inside_encoders_are_rounded(key, changes):
    """Forward and back; all others ask for float32."""
    recipe = mmcl.Recipe(**PHOTOGRAPHS.__dict__ | changes | {"precision": "bfloat16"})
    batch = jax.eval_shape(lambda key: sample_photographs(key, 16), key)
    state = jax.eval_shape(
        lambda key, batch: mmcl.init(key, batch, recipe=recipe, hyper=hyper(4)), key, batch
    )
    step = lambda state, batch: mmcl.step(
        state, batch, recipe=recipe, hyper=hyper(4), done=jnp.int32(0)
    )
    factors = list(factors_of_products(jax.make_jaxpr(step)(state, batch).jaxpr))
    assert len(factors) >= 3 * 6  # a layer has one product forward, two back
    assert all(makers == ["reduce_precision"] * 2 for makers in factors)


def factors_of_products(jaxpr):
    """By what the factors were made of every product that does not ask for float32."""
    made_by = {made: one.primitive.name for one in jaxpr.eqns for made in one.outvars}
    for equation in jaxpr.eqns:
        asked = jax.tree.leaves(equation.params.get("precision"))
        if equation.primitive.name in PRODUCTS and jax.lax.Precision.HIGHEST not in asked:
            yield [made_by.get(factor) for factor in equation.invars]
        for inner in jaxprs_in_params(equation.params):
            yield from factors_of_products(inner)
