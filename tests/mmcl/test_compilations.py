"""A second call outside of jit, with arguments of the same shapes, compiles nothing."""

import logging
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import pytest

import mmcl
from mmcl.encoders.mlp import mlp
from mmcl.objectives import log_sum_exp as log_sum_exp_module
from mmcl.objectives.log_sum_exp import log_sum_exp
from mmcl.objectives.registry import OBJECTIVES
from mmcl.optimizers.registry import OPTIMIZERS, make_optimizer
from mmcl.optimizers.schedule import Schedule, learning_rate
from tests.mmcl.encoders.test_encoder_registry import IMAGE_RECIPE, sample_images
from tests.mmcl.test_training import RECIPE, Batch, hyper


def compilations(caplog, call):
    """Returns the functions that a call compiles."""
    caplog.clear()
    with jax.log_compiles(), caplog.at_level(logging.WARNING):
        call()
    return [text[:80] for text in caplog.messages if text.startswith("Compiling ")]


def compiled_again(caplog, call):
    """Returns the functions that a second call compiles."""
    call()
    return compilations(caplog, call)


def test_compilations_are_logged(caplog):
    first = compilations(caplog, lambda: jax.jit(lambda x: x + 1)(jnp.ones(3)))
    assert any("lambda" in text for text in first)


def vectors(key, count):
    return Batch(*jax.random.normal(key, (2, count, 4)))


@pytest.mark.parametrize(
    ("recipe", "sample"),
    [
        (RECIPE, vectors),
        (replace(RECIPE, optimizer="muon", refine_from=5), vectors),
        (replace(IMAGE_RECIPE, text_encoder="text_cnn"), sample_images),
    ],
)
def test_training_functions(caplog, key, recipe, sample):
    batch, settings = sample(key, recipe.batch), hyper(4)

    def call():
        state = mmcl.init(key, batch, recipe=recipe, hyper=settings)
        state, _ = mmcl.step(state, batch, recipe=recipe, hyper=settings, done=3)
        mmcl.encode(state.params, state.stats, batch, recipe=recipe, hyper=settings)

    assert compiled_again(caplog, call) == []


@pytest.mark.parametrize("name", OBJECTIVES)
def test_objectives(caplog, key, name):
    z = mmcl.Modalities(*jax.random.normal(key, (2, 12, 3)))
    where = jnp.arange(12) < 9
    call = lambda: (
        OBJECTIVES[name].function(z, 0.5),
        OBJECTIVES[name].function(z, 0.5, where=where),
    )
    assert compiled_again(caplog, call) == []


def test_log_sum_exp_in_blocks(caplog, key, monkeypatch):
    monkeypatch.setattr(log_sum_exp_module, "block_size", lambda: 40)
    left, right = jax.random.normal(key, (2, 20, 3))
    where = jnp.ones(20, bool)
    total = lambda left: log_sum_exp(left, right, where, True).sum()
    call = partial(jax.value_and_grad(total), left)
    assert compiled_again(caplog, call) == []


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_of_optimisers(caplog, key, name):
    params = {"kernel": jax.random.normal(key, (4, 3)), "bias": jnp.ones(3)}

    def call():
        optimizer = make_optimizer(name, Schedule(0.1), 2.0)
        state = optimizer.init(params)
        optimizer.update(params, state, params, step=jnp.int32(10))

    assert compiled_again(caplog, call) == []


def test_learning_rate(caplog):
    call = lambda: learning_rate(Schedule(0.1, 10.0, 100.0), 7)
    assert compiled_again(caplog, call) == []


def test_an_mlp_in_blocks(caplog, key, monkeypatch):
    monkeypatch.setattr("mmcl.encoders.mlp.CPU_BLOCK", 8 * 4)
    observations = jax.random.normal(key, (20, 4))
    encoder = mlp((8,), 2, 0.1, True)
    params, stats = encoder.init(key, observations)
    call = partial(encoder.apply, params, stats, observations)
    assert compiled_again(caplog, call) == []
