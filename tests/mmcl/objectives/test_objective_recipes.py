"""Objectives in recipes: their options and limits, and a few steps of training."""

from dataclasses import replace

import numpy as np
import pytest

import mmcl
from mmcl.modalities import Modalities
from tests.mmcl.objectives.compiled import ALTERNATIVES
from tests.mmcl.objectives.references import alignment, unit64
from tests.mmcl.test_training import RECIPE, hyper, sample, trained


def test_weights_of_the_recipe_reach_the_objective(key):
    """One step without uniformity has the loss of the alignment alone."""
    recipe = mmcl.Recipe(**{**RECIPE.__dict__, "objective": "alignment_uniformity_on_sphere"})
    settings = hyper(4)
    batch = sample(key, 64)
    state = mmcl.init(key, batch, recipe=recipe, hyper=settings)
    u = mmcl.encode(state.params, state.stats, batch, recipe=recipe, hyper=settings)
    u = Modalities(unit64(np.asarray(u.x)), unit64(np.asarray(u.t)))
    only_alignment = replace(recipe, alignment_weight=2.0, uniformity_weight=0.0)
    _, metrics = mmcl.step(state, batch, recipe=only_alignment, hyper=settings, done=0)
    np.testing.assert_allclose(metrics.loss, 2 * alignment(u), rtol=1e-4)


@pytest.mark.parametrize("objective", ALTERNATIVES)
def test_every_objective_trains(key, objective):
    """A few steps, with a mask that selects two of four columns."""
    changes = {"objective": objective, "optimizer": "adam", "widths": (8,), "group": 32}
    recipe = mmcl.Recipe(**{**RECIPE.__dict__, **changes})
    state, metrics = trained(key, recipe, hyper(), 40)
    assert state.failed_at == -1
    assert metrics.loss[-10:].mean() < metrics.loss[:10].mean()


@pytest.mark.parametrize(
    ("objective", "field", "value", "message"),
    [
        ("alignment_max_neighbour_entropy", "group", 2, "recipe.group is 2: allowed is 4 or more"),
        ("alignment_max_gaussian_entropy", "group", 4, "recipe.group is 4: allowed is 5 or more"),
        ("whitened_regression", "group", 4, "recipe.group is 4: allowed is 6 or more for whit"),
        ("barlow_twins", "group", 1, "recipe.group is 1: allowed is 2 or more"),
        ("vicreg", "similarity", "cosine", "recipe.similarity is 'cosine': allowed is negative"),
        ("siglip", "negatives", "second_batch", "recipe.negatives is .* allowed is in_batch for s"),
        (
            "vicreg",
            "uniformity_weight",
            2.0,
            "recipe.uniformity_weight is 2.0: allowed is 1 for vic",
        ),
        (
            "vicreg",
            "alignment_weight",
            -1.0,
            "recipe.alignment_weight is -1.0: allowed is 0 or more",
        ),
        ("infonce_intra_modal", "similarity", "dot", "recipe.similarity is 'dot': allowed is nega"),
        ("siglip", "refine_from", 5, "recipe.refine_from is 5: allowed is None for siglip"),
    ],
)
def test_recipes_that_an_objective_does_not_allow(objective, field, value, message):
    with pytest.raises(ValueError, match=message):
        mmcl.Recipe(**{**RECIPE.__dict__, "objective": objective, field: value})
