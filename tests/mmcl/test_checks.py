"""Errors for arguments that do not fit the recipe, raised before anything is compiled."""

import re
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mmcl
from mmcl.encoders.text import text_cnn
from mmcl.objectives.registry import OBJECTIVES
from mmcl.optimizers.registry import make_optimizer
from mmcl.precision import with_precision
from tests.mmcl.encoders.test_encoder_registry import IMAGE_RECIPE, sample_images
from tests.mmcl.test_training import RECIPE, Batch, hyper, sample

VECTORS, IMAGES = np.ones((64, 4), np.float32), np.ones((16, 8, 8, 3), np.uint8)
IDS = np.ones((16, 4), np.int32)


def refused(message, function, *args, **kwargs):
    """Asserts that tracing raises ValueError with this message."""
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        jax.eval_shape(partial(function, **kwargs), *args)


@pytest.fixture
def state(key):
    return jax.eval_shape(
        lambda key: mmcl.init(key, sample(key, 64), recipe=RECIPE, hyper=hyper()), key
    )


@pytest.mark.parametrize(
    ("recipe", "images", "texts", "message"),
    [
        (
            RECIPE,
            IMAGES,
            VECTORS,
            "batch.x is uint8 [16, 8, 8, 3]: allowed is floats [n, features]",
        ),
        (
            RECIPE,
            VECTORS,
            IDS,
            "batch.t is int32 [16, 4]: allowed is floats [n, features] for text",
        ),
        (RECIPE, VECTORS[0], VECTORS, "batch.x is float32 [4]: allowed is floats [n, features]"),
        (RECIPE, VECTORS, None, "batch.t is NoneType: allowed is an array"),
        (RECIPE, [[1.0]], VECTORS, "batch.x is list: allowed is an array"),
        (RECIPE, VECTORS[:40], VECTORS, "len(batch.t) is 64: allowed is 40, as many as images"),
        (RECIPE, VECTORS[:0], VECTORS[:0], "len(batch.x) is 0: allowed is 1 or more"),
        (
            IMAGE_RECIPE,
            IMAGES,
            VECTORS[:16],
            "batch.t is float32 [16, 4]: allowed is integers [n, length] for text_encoder 'tokens'",
        ),
        (
            replace(IMAGE_RECIPE, text_encoder="text_cnn"),
            IMAGES,
            IDS[0],
            "batch.t is int32 [4]: allowed is integers [n, length] for text_encoder 'text_cnn'",
        ),
        (
            IMAGE_RECIPE,
            IMAGES[0],
            IDS,
            "batch.x is uint8 [8, 8, 3]: allowed is integers or floats [n, height, width, chan",
        ),
        (
            replace(IMAGE_RECIPE, image_encoder="resnet18"),
            IMAGES > 0,
            IDS,
            "batch.x is bool [16, 8, 8, 3]: allowed is integers or floats",
        ),
    ],
)
def test_observations_that_the_encoders_do_not_take_are_refused(
    recipe, images, texts, message, key, state
):
    batch, arguments = Batch(images, texts), {"recipe": recipe, "hyper": hyper()}
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        mmcl.init(key, batch, **arguments)
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        mmcl.step(state, batch, done=0, **arguments)


@pytest.mark.parametrize(
    ("changes", "pairs", "message"),
    [
        ({}, 100, "len(batch.x) is 100: allowed is a multiple of recipe.group, 64"),
        ({"group": 32}, 48, "len(batch.x) is 48: allowed is a multiple of recipe.group, 32"),
        (
            {"negatives": "second_batch"},
            64,
            "len(batch.x) is 64: allowed is a multiple of 2 recipe.group, 128",
        ),
    ],
)
def test_batches_that_do_not_divide_into_groups_are_refused(changes, pairs, message, key, state):
    arguments = {"recipe": replace(RECIPE, **changes), "hyper": hyper()}
    refused(message, mmcl.step, state, sample(key, pairs), done=0, **arguments)
    wrong_sample = lambda key, _: sample(key, pairs)
    train = lambda key, state: mmcl.train(key, state, wrong_sample, steps=2, **arguments)
    refused(message, train, key, state)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (
            "dimensions",
            jnp.ones(3, bool),
            "hyper.dimensions is bool [3]: allowed is None or bool [4]",
        ),
        ("dimensions", jnp.ones(4), "hyper.dimensions is float32 [4]: allowed is None or bool [4]"),
        ("dimensions", jnp.array(True), "hyper.dimensions is bool []: allowed is None or bool [4]"),
        ("dimensions", [True] * 4, "hyper.dimensions is list: allowed is None or bool [4]"),
        ("temperature", 0, "hyper.temperature is 0: allowed is above 0"),
        ("temperature", float("nan"), "hyper.temperature is nan: allowed is above 0"),
        ("clip_norm", np.float32(-1), "hyper.clip_norm is -1.0: allowed is above 0"),
        ("schedule", mmcl.Schedule(-0.1), "hyper.schedule.peak is -0.1: allowed is 0 or more"),
        ("temperature", jnp.float32(-1), "hyper.temperature is -1.0: allowed is above 0"),
        ("temperature", float("inf"), "hyper.temperature is inf: allowed is above 0, and finite"),
        ("temperature", jnp.ones(2), "hyper.temperature is float32 [2]: allowed is one number"),
        ("temperature", "1", "hyper.temperature is '1': allowed is above 0"),
        ("clip_norm", jnp.float32("nan"), "hyper.clip_norm is nan: allowed is above 0, or infini"),
        ("weight_decay", jnp.float32("nan"), "hyper.weight_decay is nan: allowed is 0 or more"),
        ("weight_decay", None, "hyper.weight_decay is None: allowed is 0 or more"),
        ("schedule", mmcl.Schedule(peak=float("inf")), "hyper.schedule.peak is inf: allowed is 0"),
        ("schedule", mmcl.Schedule(warmup=-1), "hyper.schedule.warmup is -1: allowed is 0 or mor"),
        ("schedule", mmcl.Schedule(floor=2), "hyper.schedule.floor is 2: allowed is 0 to 1"),
        (
            "schedule",
            mmcl.Schedule(decay_end=float("nan")),
            "hyper.schedule.decay_end is nan: allowed is 0 or more, or infinite",
        ),
    ],
)
def test_hyperparameters_out_of_range_are_refused(field, value, message, key, state):
    settings, batch = hyper()._replace(**{field: value}), sample(key, 64)
    calls = (
        partial(mmcl.init, key, batch),
        partial(mmcl.step, state, batch, done=0),
        partial(mmcl.encode, state.params, state.stats, batch),
    )
    for call in calls:
        with pytest.raises(ValueError, match="^" + re.escape(message)):
            call(recipe=RECIPE, hyper=settings)


@pytest.mark.usefixtures("unchecked_types")
def test_negative_counts_are_refused(key, state):
    arguments = {"recipe": RECIPE, "hyper": hyper()}
    with pytest.raises(ValueError, match="^done is -1: allowed is 0 or more"):
        mmcl.step(state, sample(key, 64), done=-1, **arguments)
    for steps in (-1, 1.5):
        with pytest.raises(ValueError, match=f"^steps is {steps}: allowed is 0 or more, an intege"):
            mmcl.train(key, state, sample, steps=steps, **arguments)


IGNORE_TEMPERATURE = ("barlow_twins", "whitened_regression")


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name not in IGNORE_TEMPERATURE])
@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), jnp.float32(0.0)])
def test_objectives_refuse_a_temperature_that_is_not_above_0(name, temperature):
    z = mmcl.Modalities(jnp.ones((8, 2)), jnp.ones((8, 2)))
    with pytest.raises(ValueError, match="^temperature is .*: allowed is above 0, and finite"):
        OBJECTIVES[name].function(z, temperature)


def test_one_modality_alone_is_encoded(key):
    arguments = {"recipe": RECIPE, "hyper": hyper()}
    state = jax.jit(partial(mmcl.init, **arguments))(key, sample(key, 64))
    batch = sample(key, 5)
    encode = partial(mmcl.encode, state.params, state.stats, **arguments)
    both, images, texts = (
        encode(Batch(*pair)) for pair in (batch, (batch.x, None), (None, batch.t))
    )
    np.testing.assert_array_equal(images.x, both.x)
    np.testing.assert_array_equal(texts.t, both.t)
    assert images.t is None
    assert texts.x is None
    unmatched = encode(Batch(batch.x, batch.t[:2]))
    np.testing.assert_allclose(unmatched.t, both.t[:2], rtol=1e-6)
    with pytest.raises(ValueError, match="^observations.x and observations.t is None: allowed is"):
        encode(Batch(None, None))
    with pytest.raises(ValueError, match="^observations.t is int32"):
        encode(Batch(None, jnp.ones((3, 4), jnp.int32)))


def test_checks_add_nothing_to_the_compiled_program(key, monkeypatch):
    recipe = replace(IMAGE_RECIPE, optimizer="adam")
    batch = sample_images(key, 16)

    def program():
        def run(key, batch, settings):
            state = mmcl.init(key, batch, recipe=recipe, hyper=settings)
            return mmcl.step(state, batch, recipe=recipe, hyper=settings, done=jnp.int32(0))

        return str(jax.make_jaxpr(run)(key, batch, hyper()))

    checked = program()
    assert "dot_general" in checked
    names = ("check_batch", "check_not_negative", "check_hyperparameters", "check_pairs")
    for name in names:
        monkeypatch.setattr(f"mmcl.training.{name}", lambda *_: None)
    assert program() == checked


def test_names_are_checked_where_they_are_used(key):
    with pytest.raises(ValueError, match="^name is 'sgd': allowed is one of soap, muon, adam"):
        make_optimizer("sgd", mmcl.Schedule(), 1.0)
    with pytest.raises(ValueError, match="^name is 'half': allowed is one of float32, tf32"):
        with_precision("half", jnp.sin)
    with pytest.raises(ValueError, match="^normalization is 'layer': allowed is one of batch, gr"):
        text_cnn(5, 2, "layer").init(key, jnp.asarray(IDS))
