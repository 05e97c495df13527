"""Objectives with trained parameters: these are in the train state of such runs alone."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mmcl
from mmcl.objectives.registry import OBJECTIVES
from mmcl.objectives.sigmoid import SigmoidParams, siglip, siglip_learned
from mmcl.objectives.similarities import SIMILARITIES
from mmcl.optimizers.registry import OPTIMIZERS
from tests.mmcl.test_training import RECIPE, TRAIN, hyper, sample, trained

LEARNED = replace(RECIPE, objective="siglip_learned", similarity="cosine", optimizer="adam")


@pytest.mark.parametrize("name", OBJECTIVES)
def test_only_an_objective_with_parameters_adds_them_to_the_state(key, name):
    recipe = mmcl.Recipe(**RECIPE.__dict__ | {"objective": name})
    init = lambda key: mmcl.init(key, sample(key, 64), recipe=recipe, hyper=hyper())
    state = jax.eval_shape(init, key)
    expected = ("x", "t", "objective") if OBJECTIVES[name].init_params else ("x", "t")
    assert state.params._fields == expected
    step = lambda state: mmcl.step(
        state, sample(jax.random.key(0), 64), recipe=recipe, hyper=hyper(), done=jnp.int32(0)
    )
    after, _ = jax.eval_shape(step, state)
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), after) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), state
    )


def test_parameters_begin_at_the_temperature_and_at_a_bias_of_minus_10(key):
    settings = hyper(temperature=0.1)
    state = mmcl.init(key, sample(key, 64), recipe=LEARNED, hyper=settings)
    np.testing.assert_allclose(state.params.objective.log_scale, np.log(10), rtol=1e-6)
    assert state.params.objective.bias == -10


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_optimiser_trains_the_parameters(key, optimizer):
    """They move, and the loss ends below that of the same run with constant parameters."""
    recipe = replace(LEARNED, optimizer=optimizer)
    state, metrics = trained(key, recipe, hyper(3, temperature=0.1), 200)
    assert state.failed_at == -1
    learned = state.params.objective
    assert abs(learned.bias + 10) > 0.1
    assert abs(learned.log_scale - np.log(10)) > 0.1
    z = mmcl.encode(
        state.params, state.stats, sample(key, 64), recipe=recipe, hyper=hyper(3, temperature=0.1)
    )
    initial = siglip_learned(z, 0.1, SIMILARITIES["cosine"])
    assert siglip_learned(z, 0.1, SIMILARITIES["cosine"], params=learned) < initial
    assert metrics.loss[-10:].mean() < metrics.loss[:10].mean()


def test_one_step_of_adam_moves_parameters_against_their_gradient(key):
    """The first step of Adam is the learning rate times the sign of the gradient."""
    settings = hyper(3, temperature=0.1)._replace(schedule=mmcl.Schedule(0.01, 1.0))
    batch = sample(key, 64)
    state = mmcl.init(key, batch, recipe=LEARNED, hyper=settings)
    z = mmcl.encode(state.params, state.stats, batch, recipe=LEARNED, hyper=settings)
    loss = lambda log_scale, bias: float(
        siglip_learned(
            z, 1.0, SIMILARITIES["cosine"], params=SigmoidParams(jnp.float32(log_scale), bias)
        )
    )
    before = state.params.objective
    after, _ = mmcl.step(state, batch, recipe=LEARNED, hyper=settings, done=0)
    scale, bias, step = float(before.log_scale), before.bias, 0.05
    slopes = (
        loss(scale + step, bias) - loss(scale - step, bias),
        loss(scale, bias + step) - loss(scale, bias - step),
    )
    moved = np.array(after.params.objective) - np.array(before)
    np.testing.assert_allclose(moved, -0.01 * np.sign(slopes), rtol=1e-3)


def test_with_the_best_bias_it_equals_siglip(key):
    """The minimum over biases of the one is the other."""
    z = mmcl.Modalities(*jax.random.normal(key, (2, 24, 3)))
    loss = lambda bias: siglip_learned(
        z, 1.0, SIMILARITIES["dot"], params=SigmoidParams(-jnp.log(0.3), bias)
    )
    losses = jax.jit(jax.vmap(loss))(jnp.linspace(-20, 20, 4001))
    best = jax.jit(siglip, static_argnums=2)(z, 0.3, SIMILARITIES["dot"])
    np.testing.assert_allclose(losses.min(), best, rtol=1e-5)
    assert losses.min() >= best * (1 - 1e-6)


def test_a_run_in_parts_equals_an_unbroken_one(key):
    settings = hyper(3, temperature=0.1)
    state = mmcl.init(key, sample(key, 256), recipe=LEARNED, hyper=settings)
    unbroken, _ = TRAIN(key, state, sample, recipe=LEARNED, hyper=settings, done=0, steps=6)
    for done in (0, 3):
        state, _ = TRAIN(key, state, sample, recipe=LEARNED, hyper=settings, done=done, steps=3)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), state, unbroken)
