import re
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mmcl
from mmcl.encoders import mlp as mlp_module
from mmcl.encoders.mlp import mlp
from mmcl.precision import PRECISIONS, with_precision
from tests.mmcl.test_training import RECIPE, hyper, sample, trained

WIDTH = 13  # of hidden layers; no other array of the program has this size


def products(key, recipe):
    """Returns the matrix products of a training step as JAX prints them, in encoders and others."""
    state = mmcl.init(key, sample(key, 256), recipe=recipe, hyper=hyper())
    step = jax.make_jaxpr(partial(mmcl.step, recipe=recipe))
    program = str(step(state, sample(key, 64), hyper=hyper(), done=jnp.int32(0)))
    found = re.findall(r"\w+:(f32\[[\d,]*\]) = dot_general\[(.*?)\] \w+ \w+", program, re.DOTALL)
    inside = [text for shape, text in found if str(WIDTH) in shape]
    return inside, [text for shape, text in found if str(WIDTH) not in shape]


@pytest.mark.parametrize(
    ("precision", "printed"), [("tf32", "Precision.HIGH,"), ("bfloat16", "BF16_BF16_F32")]
)
def test_products_inside_encoders_have_the_precision_of_the_recipe(precision, printed, key):
    recipe = replace(RECIPE, widths=(WIDTH, WIDTH), optimizer="adam", precision=precision)
    inside, others = products(key, recipe)
    assert len(inside) >= 6
    assert all(printed in text for text in inside)
    exact = [text for text in others if printed not in text]
    # in each modality one of whitening, one of the objective and two of its gradient
    assert len(exact) == 8
    assert all("Precision.HIGHEST" in text for text in exact)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator rounds in hardware")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("rows", [50, 8])  # rows of a block, of 50
def test_a_cpu_rounds_the_factors_of_products_and_sums_in_float32(
    precision, rows, key, monkeypatch
):
    """One linear layer and its gradient agree with float64 NumPy."""
    monkeypatch.setattr(mlp_module, "CPU_BLOCK", 3 * rows)
    encoder = mlp((), outputs=3, slope=1.0, whiten=False)
    observations, weights = jax.random.normal(key, (50, 4)), jnp.linspace(0.1, 2.3, 150)
    params, stats = encoder.init(key, observations)
    encode = lambda params: encoder.train(params, stats, observations)[0]
    precise = partial(with_precision, precision)
    z, pull_back = precise(partial(jax.vjp, encode))(params)
    (grads,) = precise(pull_back)(weights.reshape(50, 3))
    kernel = params["Dense_0"]["kernel"]
    x, w, g = (_rounded(PRECISIONS[precision].mantissa, a) for a in (observations, kernel, weights))
    np.testing.assert_allclose(z, x @ w, atol=1e-5)
    np.testing.assert_allclose(grads["Dense_0"]["kernel"], x.T @ g.reshape(50, 3), atol=2e-5)


@pytest.mark.skipif(jax.default_backend() != "cpu", reason="an accelerator rounds in hardware")
@pytest.mark.parametrize(
    ("primitive", "function"),
    [
        ("cond", lambda x: jax.lax.cond(x[0, 0] > 0, lambda x: x @ x, lambda x: x, x)),
        ("while", lambda x: jax.lax.while_loop(lambda x: x[0, 0] < 3, lambda x: x @ x, x)),
        ("(remat|checkpoint)", jax.checkpoint(lambda x: x @ x)),
    ],
)
def test_products_that_cannot_be_rounded_are_refused(primitive, function):
    message = f"precision is 'bfloat16': allowed is 'float32' on a CPU, .* inside {primitive}"
    with pytest.raises(ValueError, match=message):
        with_precision("bfloat16", function)(jnp.ones((2, 2)))


def _rounded(mantissa, array):
    """Returns float64, rounded to `mantissa` bits after the first."""
    fraction, exponent = np.frexp(np.asarray(array, np.float64))
    return np.ldexp(np.round(fraction * 2 ** (mantissa + 1)) / 2 ** (mantissa + 1), exponent)


@pytest.mark.accelerator
@pytest.mark.parametrize(
    ("precision", "least", "most"),
    [("float32", 0, 1e-6), ("tf32", 0, 1e-3), ("bfloat16", 1e-3, 1e-2)],
)
def test_a_product_has_the_error_of_its_precision(precision, least, most, key):
    """Relative to float64; of tf32 only the largest one, since a TPU has more bits."""
    a, b = jax.random.normal(key, (2, 256, 256))
    exact = np.asarray(a, np.float64) @ np.asarray(b, np.float64)
    measured = jax.jit(with_precision(precision, jnp.matmul))(a, b)
    assert least <= np.linalg.norm(measured - exact) / np.linalg.norm(exact) <= most


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_precision_trains(precision, key):
    _, metrics = trained(key, replace(RECIPE, precision=precision), hyper(), 20)
    assert np.isfinite(metrics.loss).all()


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="recipe.precision is 'half': allowed is one of float32"):
        replace(RECIPE, precision="half")
