"""Parts of a user's own, by name and as functions."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.latents.misalignment import Misaligned
from lvm.latents.semantics import Semantics
from lvm.registry import register_dependence, register_misalignment, register_noise_law
from tests.registries import temporary_registries

BIAS = lvm.bias_from_indices(3, [1, 2], [2])
SPEC = lvm.WorldSpec(semantics=3, image_only=2, text_only=2)


def rounded(scene, rate):
    where = (scene.uniform < rate) & scene.bias.perturbable[None]
    caption = jnp.where(where, jnp.round(scene.s), scene.s)
    return Misaligned(scene.s, caption, jnp.zeros(scene.s.shape, bool))


def omitted(scene, rate):
    missing = (scene.uniform < rate) & scene.bias.perturbable[None]
    return Misaligned(scene.s, jnp.where(missing, 0.0, scene.s), missing)


def chain(key, n):
    return Semantics(0.5 * jnp.eye(n, k=-1), jnp.ones(n), jnp.zeros(()))


def halves(normal):
    return jnp.sign(normal)


@pytest.fixture(autouse=True)
def _registries():
    with temporary_registries():
        yield


def sample(key, dependence, **laws):
    world = lvm.init_world(key, SPEC, dependence)
    return lvm.sample_pairs(key, world, BIAS, 16, **laws)


def test_a_part_by_name_equals_the_part_as_a_function(key):
    functions = sample(key, chain, misalignment=rounded, noise_law=halves)
    register_dependence("chain", chain)
    register_misalignment("rounded", rounded)
    register_noise_law("halves", halves)
    names = sample(key, "chain", misalignment="rounded", noise_law="halves")
    jax.tree.map(np.testing.assert_array_equal, names, functions)
    changed = np.asarray(names.s_text != names.s)
    assert changed[:, 1].any()
    assert not changed[:, 0].any()


def test_a_traced_index_selects_a_registered_part_and_leaves_others_unchanged(key):
    before = sample(key, "dependent")
    register_misalignment("rounded", rounded)
    register_dependence("chain", chain)
    spec = lvm.MisalignmentSpec(("noise", "rounded"))
    position = lambda table, name: list(table).index(name)

    def traced(dependence, kind):
        world = lvm.init_world(key, SPEC, dependence)
        return lvm.sample_pairs(key, world, BIAS, 16, misalignment=kind, spec=spec)

    names = (("dependent", "noise"), ("chain", "rounded"))
    dependences = jnp.array([position(lvm.DEPENDENCES, name) for name, _ in names])
    kinds = jnp.array([position(lvm.MISALIGNMENTS, name) for _, name in names])
    both = jax.jit(jax.vmap(traced))(dependences, kinds)
    mine = sample(key, "chain", misalignment="rounded")
    np.testing.assert_allclose(both.s_text[0], before.s_text, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(both.s_text[1], mine.s_text, rtol=1e-5, atol=1e-6)


def test_properties_of_a_misalignment_are_those_it_is_registered_with(key):
    register_misalignment("with_indicator", omitted, indicator=True)
    register_misalignment("moving", rounded, changes_scene=True)
    assert lvm.MisalignmentSpec(("with_indicator",)).has_indicator
    width = sample(key, "independent", misalignment="noise").t.shape[1]
    assert sample(key, "independent", misalignment="with_indicator").t.shape[1] == width + 3
    assert not lvm.MisalignmentSpec(("moving",)).has_indicator
    with pytest.raises(ValueError, match="captions is 2: allowed is 1 with misalignment 'moving'"):
        lvm.MisalignmentSpec(("moving",), captions=2)
    assert np.isnan(lvm.caption_r2("with_indicator", 0.5))


@pytest.mark.parametrize(
    ("function", "taken", "part"),
    [
        (register_misalignment, "noise", rounded),
        (register_dependence, "dependent", chain),
        (register_noise_law, "laplace", halves),
    ],
)
def test_names_are_new_and_parts_functions(unchecked_types, function, taken, part):
    function("mine", part)
    function("mine", part)
    with pytest.raises(ValueError, match="is 'mine': allowed is one that is not taken"):
        function("mine", partial(part))
    with pytest.raises(ValueError, match=f"is '{taken}': allowed is one that is not taken"):
        function(taken, part)
    with pytest.raises(ValueError, match="is 'a b': allowed are letters, digits and _"):
        function("a b", part)
    with pytest.raises(ValueError, match="is 3: allowed is a function"):
        function("other", 3)


@pytest.mark.parametrize(
    ("laws", "message"),
    [
        ({"misalignment": lambda scene, rate: scene.s}, "misalignment '<lambda>' returns float32"),
        (
            {"misalignment": lambda scene, rate: Misaligned(scene.s, scene.s[0], scene.s > 0)},
            r"returns caption float32 \[3\]: allowed is float32 \[16, 3\]",
        ),
        (
            {"misalignment": lambda scene, rate: rounded(scene, rate)._replace(s=scene.s + 1)},
            "misalignment '<lambda>' changes s: allowed is scene.s",
        ),
        ({"dependence": lambda key, n: chain(key, n + 1)}, r"returns weights float32 \[4, 4\]"),
        ({"noise_law": lambda normal: normal[0]}, r"result of noise_law has shape \(3,\)"),
    ],
)
def test_a_wrong_result_is_refused(key, unchecked_types, laws, message):
    with pytest.raises(ValueError, match=message):
        sample(key, **{"dependence": "independent", **laws})
