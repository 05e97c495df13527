"""A repeated call outside jit compiles nothing and keeps no memory."""

import gc
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.captions.generation import replace_values
from lvm.captions.scene_words import make_scene_words, word_values
from lvm.latents.mixing import unmix
from lvm.latents.semantics import draw_semantics, sample_semantics, solve_semantics
from lvm.latents.switch import switch_by_name
from lvm.scenes.rendering.batches import render_batches
from lvm.scenes.rendering.render import Quality

SPEC = lvm.WorldSpec(semantics=3, image_only=2, text_only=2, mixing_layers=2)
ALL_KINDS = lvm.MisalignmentSpec(tuple(lvm.MISALIGNMENTS))
BIAS = lvm.bias_from_indices(3, [1, 2, 3], [2])
WITHOUT_JAX = {  # classes, tables and functions of Python or NumPy alone
    *("Bias", "DEPENDENCES", "Factor", "Language", "MISALIGNMENTS", "MisalignmentSpec"),
    *("NOISE_LAWS", "Pairs", "Scenes", "Semantics", "World", "WorldSpec", "bias_from_indices"),
    *("bias_from_numbers", "caption_r2", "make_language", "numbers_of", "sentences"),
}
MAPS = Path("/proc/self/maps")

compilations: list[str] = []


@jax.monitoring.register_event_duration_secs_listener
def _record(event, duration, **kwargs):
    del duration, kwargs
    if event == "/jax/core/compile/backend_compile_duration":
        compilations.append(event)


def _world():
    return lvm.init_world(jax.random.key(0), SPEC, "dependent")


def _pairs(world, **arguments):
    return lvm.sample_pairs(jax.random.key(1), world, BIAS, 8, **arguments)


def _calls():
    """Functions without arguments, by the name of the public function that each calls."""
    key, world = jax.random.key(0), _world()
    z, noise = jax.random.normal(key, (4, 5)), jax.random.normal(key, (4, 3))
    mask = np.array([False, True, True])
    shift = partial(lvm.heavy_tails, shifted=mask, outlier_probability=0.1)
    law = partial(switch_by_name, lvm.NOISE_LAWS, tuple(lvm.NOISE_LAWS), jnp.int32(2))
    language = lvm.make_language([lvm.Factor("size", ("small", "large"))], ["a [{size}] cup"])
    values, everything = np.zeros((2, 1), np.int32), np.array([True])
    words = make_scene_words([{"red": "#ff0000", "blue": "#0000ff"}] * 3)
    scenes = lvm.sample_scenes(key, 3)
    scene = jax.tree.map(lambda leaf: leaf[0], scenes)
    kind = jnp.int32(list(lvm.MISALIGNMENTS).index("mnar"))
    quality = Quality(2, 2)
    return {
        "init_world": lambda: lvm.init_world(key, SPEC, "linear_scm"),
        "init_world index": lambda: lvm.init_world(key, SPEC, jnp.int32(2)),
        "draw_semantics": lambda: draw_semantics(key, 3, jnp.int32(3)),
        "sample_semantics": lambda: sample_semantics(key, world.semantics, 4),
        "solve_semantics": lambda: solve_semantics(world.semantics, noise),
        "covariance": lambda: lvm.covariance(world.semantics),
        "gaussian_semantics": lambda: lvm.gaussian_semantics(np.eye(3)),
        "attainable_r2": lambda: lvm.attainable_r2(lvm.covariance(world.semantics), mask),
        "conditional_means": lambda: lvm.conditional_means(
            key, draw_semantics(key, 3, "nonlinear_scm"), noise, mask, particles=8
        ),
        "unbiased": lambda: lvm.unbiased(lvm.Bias(*map(jnp.asarray, BIAS))),
        "heavy_tails": lambda: lvm.heavy_tails(key, noise, mask, 0.1),
        "mix": lambda: lvm.mix(world.mixing_x, z),
        "unmix": lambda: unmix(world.mixing_x, z),
        "sample_pairs": lambda: _pairs(world, noise_law="heavy_tailed", shift=shift),
        "sample_pairs kinds": lambda: _pairs(world, misalignment=kind, spec=ALL_KINDS, shift=shift),
        "sample_pairs law": lambda: _pairs(world, noise_law=law, misalignment="propagating"),
        "sample_scenes": lambda: lvm.sample_scenes(key, 3),
        "render": lambda: lvm.render(scene, 8, quality),
        "render_batches": lambda: list(render_batches(scenes, 8, quality)),
        "generate_captions": lambda: lvm.generate_captions(
            language, values, values[:, 0], everything
        ),
        "replace_values": lambda: replace_values(
            key, language, values, perturbable=everything, probability=0.5
        ),
        "word_values": lambda: word_values(words, scenes),
    }


def test_a_second_eager_call_compiles_nothing():
    for name, call in _calls().items():
        jax.block_until_ready(call())
        before = len(compilations)
        jax.block_until_ready(call())
        assert len(compilations) == before, name


def test_every_public_function_that_uses_jax_is_covered():
    assert set(lvm.__all__) - WITHOUT_JAX <= _calls().keys()


def test_another_kind_rate_and_key_compile_nothing():
    world, rates = _world(), np.linspace(0.1, 0.9, len(lvm.MISALIGNMENTS))
    sample = lambda kind: lvm.sample_pairs(
        jax.random.key(kind),
        world,
        BIAS,
        8,
        misalignment=jnp.int32(kind),
        noise_probability=float(rates[kind]),
        spec=ALL_KINDS,
    )
    sample(0)
    before = len(compilations)
    for kind in range(1, len(lvm.MISALIGNMENTS)):
        sample(kind)
    assert len(compilations) == before


@pytest.mark.skipif(not MAPS.exists(), reason="memory maps are listed on Linux alone")
def test_repeated_calls_keep_no_memory_maps():
    world = _world()
    for _ in range(10):
        _pairs(world)
    before = len(MAPS.read_text().splitlines())
    for _ in range(300):
        _pairs(world)
    assert len(MAPS.read_text().splitlines()) - before < 10


def test_no_tracer_outlives_its_trace():
    world = _world()

    def sample(law, kind):
        noise_law = partial(switch_by_name, lvm.NOISE_LAWS, tuple(lvm.NOISE_LAWS), law)
        return _pairs(world, noise_law=noise_law, misalignment=kind, spec=ALL_KINDS).t

    gc.freeze()  # the search for tracers goes over all other objects, once for each trace
    try:
        with jax.checking_leaks():
            traced = jax.jit(jax.vmap(sample))(jnp.arange(2), jnp.arange(2))
    finally:
        gc.unfreeze()
    np.testing.assert_allclose(traced[1], sample(jnp.int32(1), jnp.int32(1)), atol=1e-5)
