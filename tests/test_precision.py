import re
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mmcl
from mmcl.precision import PRECISIONS
from tests.test_training import RECIPE, hyper, sample, trained

WIDTH = 13  # of hidden layers, found nowhere else in the program


def products(key, recipe):
    """The matrix products of a training step, as JAX writes them: of encoders, and all others."""
    state = mmcl.init(key, recipe, hyper(), sample(key, 256))
    step = jax.make_jaxpr(mmcl.step, static_argnums=0)
    program = str(step(recipe, hyper(), state, sample(key, 64), jnp.int32(0)))
    found = re.findall(r"\w+:(f32\[[\d,]*\]) = dot_general\[(.*?)\] \w+ \w+", program, re.DOTALL)
    inside = [text for shape, text in found if str(WIDTH) in shape]
    return inside, [text for shape, text in found if str(WIDTH) not in shape]


@pytest.mark.parametrize(
    ("precision", "said"), [("tf32", "Precision.HIGH,"), ("bfloat16", "BF16_BF16_F32")]
)
def test_products_inside_encoders_have_the_precision_of_the_recipe(precision, said, key):
    recipe = replace(RECIPE, widths=(WIDTH, WIDTH), optimizer="adam", precision=precision)
    inside, others = products(key, recipe)
    assert len(inside) >= 6
    assert all(said in text for text in inside)
    objective = [text for text in others if said not in text]
    assert len(objective) == 6  # of either modality one forward, two back
    assert all("Precision.HIGHEST" in text for text in objective)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_trains(precision, key):
    _, metrics = trained(key, replace(RECIPE, precision=precision), hyper(), 20)
    assert np.isfinite(metrics.loss).all()


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="recipe.precision is 'half': allowed is one of float32"):
        replace(RECIPE, precision="half")
