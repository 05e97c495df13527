"""With JAX_ENABLE_X64=1 states and outputs stay float32 and int32."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mmcl
from mmcl.objectives.registry import OBJECTIVES
from mmcl.optimizers.registry import OPTIMIZERS
from mmcl.optimizers.schedule import learning_rate
from tests.mmcl.encoders.test_encoder_registry import IMAGE_RECIPE
from tests.mmcl.test_training import RECIPE, Batch


@pytest.fixture(autouse=True)
def x64():
    with jax.enable_x64(True):
        yield


def vectors(key, count):
    """Float64 vectors, as a sampler without dtypes draws them."""
    batch = Batch(*jax.random.normal(key, (2, count, 4)))
    assert batch.x.dtype == np.float64
    return batch


def images(key, count):
    """Images uint8, and token ids int64."""
    pixels = jax.random.randint(key, (count, 8, 16, 3), 0, 256).astype(jnp.uint8)
    return Batch(pixels, jax.random.randint(key, (count, 4), 0, 9))


def python_hyper():
    schedule = mmcl.Schedule(0.01, 2.0, np.float64(20), 0.1, np.float64(5.0))
    return mmcl.Hyperparameters(schedule, np.float64(1.0), 2.0, np.arange(4) < 3)


def types(tree):
    return jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype.name), tree)


def dtypes(tree):
    """Names of the dtypes in a tree."""
    return {leaf.dtype.name for leaf in jax.tree.leaves(tree) if hasattr(leaf, "dtype")}


ENCODERS = {"image_encoder": "resnet18", "text_encoder": "text_cnn", "optimizer": "soap"}
RECIPES = [
    *((replace(RECIPE, optimizer=name), vectors) for name in OPTIMIZERS),
    *((replace(RECIPE, objective=name, optimizer="adam"), vectors) for name in OBJECTIVES),
    (replace(RECIPE, refine_from=3, precision="bfloat16"), vectors),
    (replace(RECIPE, negatives="second_batch", output_space="sphere"), vectors),
    (IMAGE_RECIPE, images),
    (replace(IMAGE_RECIPE, **ENCODERS), images),
]


@pytest.mark.parametrize(("recipe", "sample"), RECIPES)
def test_dtypes_of_every_recipe(recipe, sample):
    """The scan in `train` fails if one leaf of the state changes its dtype."""
    key, options = jax.random.key(0), {"recipe": recipe, "hyper": python_hyper()}
    init = lambda key: mmcl.init(key, sample(key, 64), **options)
    state = jax.eval_shape(init, key)
    assert dtypes(state) <= {"float32", "int32"}
    train = lambda key, state: mmcl.train(key, state, sample, steps=3, **options)
    after, metrics = jax.eval_shape(train, key, state)
    assert types(after) == types(state)
    assert dtypes(metrics) == {"float32"}
    z = jax.eval_shape(
        lambda state, key: mmcl.encode(state.params, state.stats, sample(key, 5), **options),
        state,
        key,
    )
    assert dtypes(z) == {"float32"}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_agrees_with_one_without_x64(optimizer):
    """The same float32 numbers are computed in both modes, up to rounding."""
    recipe = replace(RECIPE, optimizer=optimizer)
    rows = np.random.default_rng(0).normal(size=(2, 64, 4)).astype(np.float32)

    def run():
        options, batch = {"recipe": recipe, "hyper": python_hyper()}, Batch(*rows)
        first = jax.jit(partial(mmcl.init, **options))(jax.random.key(0), batch)
        state, _ = jax.jit(partial(mmcl.step, **options))(first, batch, done=0)
        z = jax.jit(partial(mmcl.encode, **options))(state.params, state.stats, batch)
        return jax.tree.map(np.asarray, (first.stats, z))

    wide = run()
    with jax.enable_x64(False):
        narrow = run()
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), wide, narrow)


def test_the_learning_rate_is_float32():
    for step in (3, jnp.arange(4)[3]):
        assert learning_rate(python_hyper().schedule, step).dtype == np.float32
