"""Parts of a user's own, by name and as objects of a recipe."""

from dataclasses import replace
from functools import partial

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import mmcl
from mmcl.output_spaces import EXTRA_COLUMNS
from mmcl.registry import (
    register_encoder,
    register_objective,
    register_optimizer,
    register_output_space,
)
from tests.registries import temporary_registries

RECIPE = mmcl.Recipe(outputs=2, widths=(4,), batch=8, group=4)
HYPER = mmcl.Hyperparameters()


class Network(nn.Module):
    outputs: int

    @nn.compact
    def __call__(self, inputs, train):
        inputs = nn.BatchNorm(use_running_average=not train)(inputs)
        return nn.Dense(self.outputs)(inputs)


def distance(z, temperature, where=None):
    return jnp.mean((z.x - z.t) ** 2) / temperature


def network(recipe, widths):
    return Network(recipe.outputs)


def momentum(rate):
    return optax.sgd(rate, momentum=0.9)


def bounded(outputs, dimensions):
    return jnp.tanh(outputs) * dimensions[None]


PARTS = {
    "objective": distance,
    "image_encoder": network,
    "text_encoder": network,
    "optimizer": momentum,
    "output_space": bounded,
}
REGISTER = {
    "objective": register_objective,
    "image_encoder": register_encoder,
    "optimizer": register_optimizer,
    "output_space": register_output_space,
}


@pytest.fixture(autouse=True)
def _registries():
    with temporary_registries():
        yield


def sample(key, count):
    return mmcl.Modalities(*jax.random.normal(key, (2, count, 3)))


def trained(key, recipe):
    state = mmcl.init(key, sample(key, 8), recipe=recipe, hyper=HYPER)
    return mmcl.train(key, state, sample, recipe=recipe, hyper=HYPER, steps=3)


def test_a_part_by_name_equals_the_part_as_an_object(key):
    state, metrics = trained(key, replace(RECIPE, **PARTS))
    for field, register in REGISTER.items():
        register("mine", PARTS[field])
    by_name, named_metrics = trained(key, replace(RECIPE, **dict.fromkeys(PARTS, "mine")))
    jax.tree.map(np.testing.assert_array_equal, state, by_name)
    np.testing.assert_array_equal(metrics.loss, named_metrics.loss)
    assert metrics.loss[-1] != metrics.loss[0]


def test_the_running_statistics_of_a_module_are_updated(key):
    state, _ = trained(key, replace(RECIPE, **PARTS))
    assert np.abs(state.stats.x.running["BatchNorm_0"]["mean"]).max() > 0


def test_an_objective_can_be_given_with_its_requirements(key):
    objective = mmcl.Objective(distance, least_group=lambda outputs: 100)
    with pytest.raises(ValueError, match="recipe.group is 4: allowed is 100 or more for distance"):
        replace(RECIPE, objective=objective)
    register_objective("strict", objective)
    with pytest.raises(ValueError, match="recipe.group is 4: allowed is 100 or more for strict"):
        replace(RECIPE, objective="strict")
    with pytest.raises(ValueError, match="refine_from is 3: allowed is None for distance"):
        replace(RECIPE, objective=distance, refine_from=3)


def test_an_encoder_can_be_given_as_its_functions(key):
    factory = lambda recipe, widths: mmcl.mlp(widths, recipe.outputs, 0.2, whiten=False)
    state, _ = trained(key, replace(RECIPE, image_encoder=factory, text_encoder=factory))
    expected, _ = trained(key, replace(RECIPE, whiten=False))
    jax.tree.map(np.testing.assert_array_equal, state.params, expected.params)


def test_a_registered_encoder_reads_images_and_texts(key):
    register_encoder("mine", network)
    encoders = mmcl.make_encoders(replace(RECIPE, image_encoder="mine", text_encoder="mine"))
    for encoder in encoders:
        params, stats = encoder.init(key, jnp.ones((4, 3)))
        assert encoder.apply(params, stats, jnp.ones((4, 3))).shape == (4, 2)


@pytest.mark.parametrize("field", REGISTER)
def test_names_are_new_and_parts_functions(unchecked_types, field):
    register, part = REGISTER[field], PARTS[field]
    register("mine", part)
    register("mine", part)
    with pytest.raises(ValueError, match="is 'mine': allowed is one that is not taken"):
        register("mine", partial(part))
    taken = getattr(RECIPE, field)
    with pytest.raises(ValueError, match=f"is '{taken}': allowed is one that is not taken"):
        register(taken, part)
    for name in ("a b", "", 3):
        with pytest.raises(ValueError, match="allowed are letters, digits and _"):
            register(name, part)
    with pytest.raises(ValueError, match="is 3: allowed is a"):
        register("other", 3)


def test_an_output_space_has_its_number_of_extra_columns():
    register_output_space("mine", bounded)
    register_output_space("other", bounded, extra_columns=1)
    assert (EXTRA_COLUMNS["mine"], EXTRA_COLUMNS["other"]) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"objective": lambda z, temperature: z.x},
            r"returns float32 \[4, 2\]: allowed is float32",
        ),
        ({"image_encoder": lambda recipe, widths: 3}, "makes int: allowed is a flax.linen.Module"),
        (
            {"text_encoder": lambda recipe, widths: Network(5)},
            r"\[8, 5\]: allowed is float32 \[8, 2",
        ),
        ({"optimizer": lambda rate: rate}, "makes function: allowed is an optax"),
        (
            {"output_space": lambda rows, where: rows[0]},
            r"returns float32 \[2\]: allowed is float32",
        ),
        ({"objective": 3}, "recipe.objective is 3: allowed is a name or a function"),
        ({"optimizer": [1]}, r"recipe.optimizer is \[1\]: allowed is a name or a function"),
    ],
)
def test_a_wrong_part_is_refused_before_a_step(key, unchecked_types, changes, message):
    with pytest.raises(ValueError, match=message):
        trained(key, replace(RECIPE, **changes))


def test_an_optimizer_whose_update_or_state_changes_is_refused(key):
    init = lambda params: jnp.zeros(2)
    scalar = optax.GradientTransformation(init, lambda grads, state, params=None: (1.0, state))
    growing = optax.GradientTransformation(
        init, lambda grads, state, params=None: (grads, state[:1])
    )
    with pytest.raises(ValueError, match="update of optimizer .* has another structure"):
        trained(key, replace(RECIPE, optimizer=lambda rate: scalar))
    with pytest.raises(ValueError, match=r"state of optimizer .* leaf float32 \[1\]: allowed is"):
        trained(key, replace(RECIPE, optimizer=lambda rate: growing))
