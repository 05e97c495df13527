"""Training on a small known world: x and t have two shared and two private latents each."""

import re
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array

import mmcl

RECIPE = mmcl.Recipe(
    widths=(16,),
    slope=0.2,
    whiten=True,
    outputs=4,
    batch=64,
    group=64,
    objective="alignment_max_entropy",
    similarity="negative_squared_distance",
    negatives="in_batch",
    optimizer="adam",
    refine_from=None,
)
SOAP = mmcl.Recipe(**{**RECIPE.__dict__, "optimizer": "soap"})  # whose state is the largest


TRAIN = jax.jit(mmcl.train, static_argnames=("sample", "recipe", "steps"))


class Batch(NamedTuple):
    x: Array
    t: Array


def sample(key, count):
    shared, private_x, private_t = jax.random.normal(key, (3, count, 2))
    return Batch(jnp.concatenate([shared, private_x], 1), jnp.concatenate([private_t, -shared], 1))


def hyper(dimensions=2, peak=0.05, steps=300, temperature=1.0):
    return mmcl.Hyperparameters(
        schedule=mmcl.Schedule(jnp.float32(peak), jnp.float32(10), jnp.float32(steps)),
        temperature=jnp.float32(temperature),
        clip_norm=jnp.float32(2.0),
        dimensions=jnp.arange(4) < dimensions,
    )


def trained(key, recipe, settings, steps):
    state = mmcl.init(key, sample(key, 256), recipe=recipe, hyper=settings)
    return TRAIN(key, state, sample, recipe=recipe, hyper=settings, done=0, steps=steps)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"negatives": "second_batch"},
        {"refine_from": 150},
        {"objective": "symmetric_infonce"},
        pytest.param(
            {"objective": "symmetric_infonce", "similarity": "cosine"}, marks=pytest.mark.slow
        ),
        {"optimizer": "soap"},
        {"optimizer": "muon"},
        pytest.param({"group": 32}, marks=pytest.mark.slow),
    ],
)
def test_every_recipe_learns_the_shared_latents(key, changes):
    recipe = mmcl.Recipe(**{**RECIPE.__dict__, **changes})
    temperature = 0.2 if recipe.similarity == "cosine" else 1.0
    dimensions = 3 if recipe.similarity == "cosine" else 2  # a sphere has one dimension less
    settings = hyper(dimensions, temperature=temperature)
    state, metrics = trained(key, recipe, settings, 300)
    test = sample(jax.random.key(1), 2000)
    z = mmcl.encode(state.params, state.stats, test, recipe=recipe, hyper=settings)
    shared, private = test.x[:, :2], test.x[:, 2:]
    design = np.column_stack([z.x[:, :dimensions], np.ones(2000)])
    for target, low, high in ((shared, 0.8, 1), (private, -0.1, 0.1)):
        residual = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
        assert low <= 1 - residual.var() / target.var() <= high
    losses = metrics.loss[recipe.refine_from or 0 :]  # refinement has another minimum
    assert losses[-20:].mean() < losses[:20].mean()


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": "soap"},
        {"optimizer": "muon"},
        {"optimizer": "adam", "refine_from": 10},
    ],
)
def test_a_masked_run_equals_a_smaller_one(key, changes):
    """Four output columns of which two are selected train like two columns."""
    wide = mmcl.Recipe(**{**RECIPE.__dict__, **changes})
    narrow = mmcl.Recipe(**{**wide.__dict__, "outputs": 2})
    narrow_hyper = hyper()._replace(dimensions=jnp.ones(2, bool))
    state = mmcl.init(key, sample(key, 256), recipe=wide, hyper=hyper())
    small = mmcl.init(key, sample(key, 256), recipe=narrow, hyper=narrow_hyper)
    small = small._replace(params=jax.tree.map(_cut, state.params, small.params))
    state, metrics = TRAIN(key, state, sample, recipe=wide, hyper=hyper(), done=0, steps=25)
    small, metrics_small = TRAIN(
        key, small, sample, recipe=narrow, hyper=narrow_hyper, done=0, steps=25
    )
    np.testing.assert_allclose(metrics.loss, metrics_small.loss, rtol=2e-4, atol=2e-4)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(_cut(a, b), b, atol=2e-4),
        state.params,
        small.params,
    )


def _cut(wide, narrow):
    return wide[tuple(slice(size) for size in narrow.shape)]


def test_a_run_in_parts_equals_an_unbroken_one(key):
    state = mmcl.init(key, sample(key, 256), recipe=SOAP, hyper=hyper())
    unbroken, _ = TRAIN(key, state, sample, recipe=SOAP, hyper=hyper(), done=0, steps=14)
    for done in (0, 7):
        state, _ = TRAIN(key, state, sample, recipe=SOAP, hyper=hyper(), done=done, steps=7)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), state, unbroken)


def test_groups_are_separate_batches(key):
    """The objective of a batch in groups is the mean of the objectives of its groups."""
    grouped = mmcl.Recipe(**{**RECIPE.__dict__, "group": 16})
    small = mmcl.Recipe(**{**RECIPE.__dict__, "batch": 16, "group": 16})
    state = mmcl.init(key, sample(key, 256), recipe=grouped, hyper=hyper())
    batch = sample(jax.random.key(1), 64)
    parts = [jax.tree.map(lambda leaf, k=k: leaf[16 * k : 16 * k + 16], batch) for k in range(4)]
    step = jax.jit(mmcl.step, static_argnames="recipe")
    loss = step(state, batch, recipe=grouped, hyper=hyper(), done=0)[1].loss
    losses = [step(state, part, recipe=small, hyper=hyper(), done=0)[1].loss for part in parts]
    np.testing.assert_allclose(loss, np.mean(losses), rtol=1e-5)


def test_whitening_is_not_trained(key):
    state = mmcl.init(key, sample(key, 256), recipe=RECIPE, hyper=hyper())
    after, _ = TRAIN(key, state, sample, recipe=RECIPE, hyper=hyper(), done=0, steps=3)
    jax.tree.map(np.testing.assert_array_equal, after.stats, state.stats)


def test_columns_outside_the_mask_are_zero(key):
    state = mmcl.init(key, sample(key, 256), recipe=RECIPE, hyper=hyper())
    z = mmcl.encode(state.params, state.stats, sample(key, 5), recipe=RECIPE, hyper=hyper())
    np.testing.assert_array_equal(z.x[:, 2:], 0)
    assert (z.t[:, :2] != 0).all()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("batch", 1, "recipe.batch is 1: allowed is 2 or more"),
        ("group", 1, "recipe.group is 1: allowed is 2 or more"),
        ("group", 48, "recipe.group is 48: allowed is a divisor of recipe.batch, 64"),
        ("outputs", 0, "recipe.outputs is 0: allowed is 1 or more"),
        ("widths", (16, 0), r"recipe.widths is \(16, 0\): allowed is widths of 1 or more"),
        ("optimizer", "sgd", "recipe.optimizer is 'sgd': allowed is one of soap, muon, adam"),
        ("norm_penalty", 0.0, "recipe.norm_penalty is 0.0: allowed is above 0"),
        ("slope", float("nan"), "recipe.slope is nan: allowed is above 0, at most 1"),
        ("similarity", "cosine", "recipe.similarity is 'cosine': allowed is negative_squared"),
        ("objective", "triplet", "recipe.objective is 'triplet': allowed is one of"),
        ("similarity", "l1", "recipe.similarity is 'l1': allowed is one of"),
        ("negatives", "queue", "recipe.negatives is 'queue': allowed is one of"),
        ("image_encoder", "vit", "recipe.image_encoder is 'vit': allowed is one of mlp, patches"),
        ("text_encoder", "bert", "recipe.text_encoder is 'bert': allowed is one of mlp, tokens"),
        ("normalization", "layer", "recipe.normalization is 'layer': allowed is one of batch"),
        ("text_widths", (0,), r"recipe.text_widths is \(0,\): allowed is widths of 1 or more"),
        (
            "text_encoder",
            "tokens",
            "recipe.vocabulary is 0: allowed is 2 or more for text_encoder 'tokens'",
        ),
    ],
)
def test_impossible_recipes(field, value, message):
    with pytest.raises(ValueError, match=message):
        mmcl.Recipe(**{**RECIPE.__dict__, field: value})


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("widths", (16.5, 16), "a tuple of integers"),
        ("head_widths", (True,), "a tuple of integers"),
        ("text_widths", [16], "a tuple of integers"),
        ("widths", 16, "a tuple of integers"),
        ("batch", 16.0, "an integer"),
        ("group", "8", "an integer"),
        ("outputs", True, "an integer"),
        ("refine_from", 2.5, "an integer or None"),
        ("slope", "0.2", "a number"),
        ("whiten", 1, "True or False"),
    ],
)
@pytest.mark.usefixtures("unchecked_types")
def test_a_recipe_of_wrong_types_is_refused(field, value, allowed):
    message = re.escape(f"recipe.{field} is {value!r}: allowed is {allowed}")
    with pytest.raises(ValueError, match=f"^{message}$"):
        mmcl.Recipe(**{**RECIPE.__dict__, field: value})


@pytest.mark.parametrize(("field", "value"), [("negatives", "second_batch"), ("refine_from", 5)])
def test_infonce_allows_neither_a_second_batch_nor_refinement(field, value):
    with pytest.raises(ValueError, match=f"recipe.{field} is {value!r}: allowed is"):
        mmcl.Recipe(**{**RECIPE.__dict__, "objective": "symmetric_infonce", field: value})


def test_refinement_begins_at_its_step(key):
    refining = mmcl.Recipe(**{**RECIPE.__dict__, "refine_from": 4})
    base, refined = (trained(key, recipe, hyper(), 8)[1].loss for recipe in (RECIPE, refining))
    np.testing.assert_allclose(refined[:4], base[:4], rtol=1e-5)
    assert (abs(refined[4:] - base[4:]) > 0.1).all()
    higher_penalty = mmcl.Recipe(**{**refining.__dict__, "norm_penalty": 1.1})
    penalised = trained(key, higher_penalty, hyper(), 8)[1].loss
    np.testing.assert_allclose(penalised[:4], base[:4], rtol=1e-5)
    assert penalised[4] > refined[4] + 0.1


def test_a_run_that_diverges_keeps_its_last_finite_state(key):
    """The fourth batch is infinite; the state stays that of the first three steps."""
    state = mmcl.init(key, sample(key, 256), recipe=RECIPE, hyper=hyper())
    step = jax.jit(mmcl.step, static_argnames="recipe")
    infinite = Batch(*(jnp.full((64, 4), jnp.inf),) * 2)
    losses = []
    for done in range(6):
        batch = infinite if done == 3 else sample(jax.random.fold_in(key, done), 64)
        state, metrics = step(state, batch, recipe=RECIPE, hyper=hyper(), done=jnp.int32(done))
        losses.append(metrics.loss)
    assert state.failed_at == 3
    assert np.isnan(losses).tolist() == [False] * 3 + [True] * 3

    finite = mmcl.init(key, sample(key, 256), recipe=RECIPE, hyper=hyper())
    for done in range(3):
        batch = sample(jax.random.fold_in(key, done), 64)
        finite, _ = step(finite, batch, recipe=RECIPE, hyper=hyper(), done=jnp.int32(done))
    assert finite.failed_at == -1
    diverged = state._replace(failed_at=finite.failed_at)
    jax.tree.map(np.testing.assert_array_equal, diverged, finite)


def test_a_diverged_run_changes_no_other_under_vmap(key):
    init = lambda key: mmcl.init(key, sample(key, 256), recipe=SOAP, hyper=hyper())
    states = jax.jit(jax.vmap(init))(jax.random.split(key))
    batch = sample(key, 64)
    step = jax.jit(
        jax.vmap(
            lambda state, batch: mmcl.step(
                state, batch, recipe=SOAP, hyper=hyper(), done=jnp.int32(0)
            )
        )
    )
    both = lambda second: jax.tree.map(lambda *leaves: jnp.stack(leaves), batch, second)
    finite, _ = step(states, both(batch))
    second_diverged, _ = step(states, both(Batch(*(jnp.full((64, 4), jnp.nan),) * 2)))
    assert second_diverged.failed_at.tolist() == [-1, 0]
    first = lambda state: jax.tree.map(lambda leaf: leaf[0], state)
    jax.tree.map(np.testing.assert_array_equal, first(finite), first(second_diverged))
