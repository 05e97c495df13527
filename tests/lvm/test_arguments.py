"""Arguments that are wrong raise ValueErrors that name them, also without checks of types."""

from functools import partial

import jax
import jax.numpy as jnp
import jaxtyping
import numpy as np
import pytest

import lvm
from lvm.captions.generation import replace_values
from lvm.captions.scene_words import make_scene_words, word_values
from lvm.latents.mixing import unmix
from lvm.latents.semantics import sample_semantics
from lvm.latents.switch import switch_by_name
from lvm.scenes.rendering.batches import render_batches

KEY = jax.random.key(0)
SPEC = lvm.WorldSpec(semantics=3, image_only=2, text_only=2, mixing_layers=2)
BIAS = lvm.bias_from_indices(3, [1, 2, 3], [2])
LANGUAGE = lvm.make_language(
    [lvm.Factor("size", ("small", "large")), lvm.Factor("color", ("red", "green", "blue"))],
    ["a [{color}] [{size}] cup", "a [{size}] cup [in {color}]"],
)
BOTH = np.array([True, True])


@pytest.fixture(autouse=True)
def without_type_checks():
    """As for users: these tests are about the errors of the functions themselves."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture(scope="module")
def world():
    return lvm.init_world(KEY, SPEC)


@pytest.mark.parametrize("index", [7, -1, np.int32(4), jnp.int32(7)])
def test_init_world_refuses_an_unknown_index(index):
    with pytest.raises(ValueError, match=f"dependence is {index}: allowed is an integer, 0..3"):
        lvm.init_world(KEY, SPEC, index)


def test_init_world_refuses_an_index_that_is_no_integer():
    with pytest.raises(ValueError, match="dependence is float32: allowed is an integer, 0..3"):
        lvm.init_world(KEY, SPEC, 1.5)
    with pytest.raises(ValueError, match=r"dependence has shape \(2,\): allowed is \(\), one int"):
        lvm.init_world(KEY, SPEC, jnp.arange(2))


@pytest.mark.parametrize("value", [75, -0.1, np.float32(1.5), jnp.float32(75), float("nan")])
def test_sample_pairs_refuses_a_known_probability_outside_0_to_1(world, value):
    with pytest.raises(ValueError, match=r"noise_probability is \S+: allowed is 0 to 1"):
        lvm.sample_pairs(KEY, world, BIAS, 4, noise_probability=value)


@pytest.mark.parametrize("value", ["0.5", None])
def test_sample_pairs_refuses_a_probability_that_is_no_number(world, value):
    with pytest.raises(ValueError, match=f"noise_probability is {value!r}: allowed is 0 to 1"):
        lvm.sample_pairs(KEY, world, BIAS, 4, noise_probability=value)


def test_sample_pairs_refuses_a_noise_law_that_is_neither_name_nor_function(world):
    with pytest.raises(ValueError, match="noise_law is 2: allowed is a function or one of gauss"):
        lvm.sample_pairs(KEY, world, BIAS, 4, noise_law=2)


def test_a_bias_has_two_masks_of_one_length():
    short = lvm.Bias(np.ones(3, bool), np.zeros(1, bool))
    for function in (lvm.unbiased, lvm.numbers_of):
        with pytest.raises(ValueError, match=r"perturbable has shape \(1,\): allowed is \(3,\)"):
            function(short)
    with pytest.raises(ValueError, match="selected is int32: allowed is bool"):
        lvm.unbiased(lvm.Bias(np.ones(3, int), np.zeros(3, int)))
    with pytest.raises(ValueError, match=r"perturbable has shape \(1,\)"):
        jax.jit(lvm.unbiased)(short)
    none = np.zeros(3, bool)
    for bias in (lvm.Bias(none, none), lvm.Bias(~none, ~none), lvm.Bias(np.arange(3) < 1, ~none)):
        with pytest.raises(ValueError, match="bias has no unbiased semantic, or a perturbable one"):
            lvm.numbers_of(bias)


@pytest.mark.parametrize("index", ["a", 1.5])
def test_indices_and_numbers_of_a_bias_are_integers(index):
    with pytest.raises(ValueError, match=f"selected holds {index}: allowed is 1..3"):
        lvm.bias_from_indices(3, [index])
    with pytest.raises(ValueError, match=f"theta is {index!r}: allowed is an integer"):
        lvm.bias_from_numbers(3, index)
    with pytest.raises(ValueError, match=f"rho is {index!r}: allowed is an integer"):
        lvm.bias_from_numbers(3, 1, index)


@pytest.mark.parametrize(
    ("covariance", "message"),
    [
        (np.eye(3) * 1j, "cov_s is complex128: allowed is a matrix of real numbers"),
        (np.array("x"), "cov_s is <U1: allowed is a matrix of real numbers"),
        (np.zeros((0, 0)), r"cov_s has shape \(0, 0\): allowed is a square matrix"),
    ],
)
def test_a_covariance_is_a_matrix_of_real_numbers(covariance, message):
    with pytest.raises(ValueError, match=message):
        lvm.gaussian_semantics(covariance)


def test_sizes_and_counts_are_integers(world):
    for size in (2.5, float("nan"), True):
        with pytest.raises(
            ValueError, match=f"world.semantics is {size}: allowed is 1 or more, an"
        ):
            lvm.WorldSpec(semantics=size)
    with pytest.raises(ValueError, match="captions is 1.5: allowed is an integer, 1 or more"):
        lvm.MisalignmentSpec(("noise",), 1.5)
    with pytest.raises(ValueError, match="count is 0: allowed is 1 or more"):
        sample_semantics(KEY, world.semantics, 0)


def test_sample_pairs_refuses_a_constant_probability_inside_jit(world):
    with pytest.raises(ValueError, match="noise_probability is 75: allowed is 0 to 1"):
        jax.jit(lambda: lvm.sample_pairs(KEY, world, BIAS, 4, noise_probability=75))()


def test_traced_values_pass(world):
    sample = lambda rate, kind: lvm.sample_pairs(
        KEY,
        world,
        BIAS,
        4,
        noise_probability=rate,
        misalignment=kind,
        spec=lvm.MisalignmentSpec(("noise", "mcar")),
    )
    assert jax.jit(sample)(75.0, 0).t.shape == (4, 5)
    draw = jax.jit(lambda index: lvm.init_world(KEY, SPEC, index))
    assert draw(7).root_x.shape == (2, 2)


def test_checks_add_nothing_to_the_compiled_program(world):
    sample = lambda rate: lvm.sample_pairs(KEY, world, BIAS, 4, noise_probability=rate).t
    primitives = str(jax.make_jaxpr(sample)(0.5))
    assert not any(name in primitives for name in ("callback", "debug", "assert"))


@pytest.mark.parametrize("selected", [[1, 2], [1, 2, 3, 4]])
def test_sample_pairs_refuses_a_bias_of_another_size(world, selected):
    n = len(selected)
    with pytest.raises(
        ValueError,
        match=rf"bias.selected has shape \({n},\): allowed is \(3,\), as the semantics",
    ):
        lvm.sample_pairs(KEY, world, lvm.bias_from_indices(n, selected), 4)


def test_sample_pairs_refuses_masks_that_are_not_bool(world):
    bias = lvm.Bias(np.ones(3, bool), np.array([0, 1, 0]))
    with pytest.raises(ValueError, match="bias.perturbable is int32: allowed is bool"):
        lvm.sample_pairs(KEY, world, bias, 4)


@pytest.mark.parametrize("count", [0, -3, 2.5, None])
def test_a_count_is_an_integer_of_1_or_more(world, count):
    message = f"count is {count}: allowed is (an integer, )?1 or more"
    with pytest.raises(ValueError, match=message):
        lvm.sample_pairs(KEY, world, BIAS, count)
    with pytest.raises(ValueError, match=message):
        lvm.sample_scenes(KEY, count)


@pytest.mark.parametrize("kind", [99, -1, jnp.int32(99)])
def test_sample_pairs_refuses_an_unknown_kind(world, kind):
    allowed = f"an integer, 0..{len(lvm.MISALIGNMENTS) - 1}"
    with pytest.raises(ValueError, match=f"misalignment is {kind}: allowed is {allowed}"):
        lvm.sample_pairs(KEY, world, BIAS, 4, misalignment=kind)


@pytest.mark.parametrize("kind", [2, np.int32(2), jnp.int32(2)])
def test_sample_pairs_refuses_a_kind_that_is_not_compiled(world, kind):
    with pytest.raises(ValueError, match="'mcar' is not among the compiled: noise"):
        lvm.sample_pairs(KEY, world, BIAS, 4, misalignment=kind)


def test_functions_of_the_caller_keep_the_shape(world):
    with pytest.raises(ValueError, match=r"the result of noise_law has shape \(4, 2\): allowed"):
        lvm.sample_pairs(KEY, world, BIAS, 4, noise_law=lambda normal: normal[:, 1:])
    with pytest.raises(ValueError, match=r"the result of shift has shape \(4, 1\): allowed is"):
        lvm.sample_pairs(KEY, world, BIAS, 4, shift=lambda key, s: s[:, :1])


def test_a_switch_refuses_an_index_out_of_range():
    with pytest.raises(ValueError, match="index is 4: allowed is an integer, 0..3"):
        switch_by_name(lvm.NOISE_LAWS, ("gaussian",), 4, jnp.zeros((2, 2)))


@pytest.mark.parametrize(("function", "field"), [(lvm.mix, "z"), (unmix, "x")])
def test_mixing_refuses_another_width(world, function, field):
    with pytest.raises(ValueError, match=rf"{field} has shape \(4, 6\): allowed is \(n, 5\), as"):
        function(world.mixing_x, jnp.zeros((4, 6)))
    with pytest.raises(ValueError, match=r"mixing has shape \(2, 5, 4\): allowed is \(2|mixing"):
        function(world.mixing_x[:, :, :4], jnp.zeros((4, 5)))


def test_heavy_tails_refuses_another_mask_and_probability():
    s = jnp.zeros((4, 3))
    with pytest.raises(ValueError, match=r"shifted has shape \(2,\): allowed is \(3,\), as the"):
        lvm.heavy_tails(KEY, s, BOTH)
    with pytest.raises(ValueError, match="outlier_probability is 10: allowed is 0 to 1"):
        lvm.heavy_tails(KEY, s, np.ones(3, bool), 10)


def test_conditional_means_refuses_other_shapes(world):
    law, s, unbiased = world.semantics, np.zeros((4, 3), np.float32), np.ones(3, bool)
    with pytest.raises(ValueError, match=r"s has shape \(4, 2\): allowed is \(count, 3\)"):
        lvm.conditional_means(KEY, law, s[:, :2], unbiased)
    with pytest.raises(ValueError, match=r"unbiased has shape \(2,\): allowed is \(3,\)"):
        lvm.conditional_means(KEY, law, s, BOTH)
    with pytest.raises(ValueError, match="particles is 0: allowed is 1 or more"):
        lvm.conditional_means(KEY, law, s, unbiased, particles=0)


def test_attainable_r2_refuses_other_shapes():
    with pytest.raises(ValueError, match=r"cov_s has shape \(3, 2\): allowed is \(3, 3\), a squ"):
        lvm.attainable_r2(jnp.zeros((3, 2)), np.ones(3, bool))
    with pytest.raises(ValueError, match=r"unbiased has shape \(2,\): allowed is \(3,\), as cov"):
        lvm.attainable_r2(jnp.eye(3), BOTH)


def test_caption_r2_refuses_unknown_kinds_and_wrong_rates():
    with pytest.raises(ValueError, match="kind is 'mcar_marked': allowed is one of noise, stren"):
        lvm.caption_r2("mcar_marked", 0.5)
    with pytest.raises(ValueError, match="rate is 75: allowed is 0 to 1"):
        lvm.caption_r2("mcar", 75)
    with pytest.raises(ValueError, match="captions is 0: allowed is 1 or more"):
        lvm.caption_r2("mcar", 0.5, 0)


CAPTIONS = {
    "values: size is float32: allowed is an integer, 0..1": (
        np.zeros((2, 2)),
        np.zeros(2, np.int32),
        BOTH,
    ),
    r"values has shape \(2, 3\): allowed is \(n, 2\)": (
        np.zeros((2, 3), np.int32),
        np.zeros(2, np.int32),
        BOTH,
    ),
    "values: size is 2 at index 1: allowed is an integer, 0..1": (
        np.array([[0, 0], [2, 0]]),
        np.zeros(2, np.int32),
        BOTH,
    ),
    r"phrasing has shape \(3,\): allowed is \(2,\), one per row of values": (
        np.zeros((2, 2), np.int32),
        np.zeros(3, np.int32),
        BOTH,
    ),
    "phrasing is 2 at index 1: allowed is an integer, 0..1": (
        np.zeros((2, 2), np.int32),
        np.array([0, 2]),
        BOTH,
    ),
    r"selected has shape \(1,\): allowed is \(2,\), one per factor": (
        np.zeros((2, 2), np.int32),
        np.zeros(2, np.int32),
        BOTH[:1],
    ),
}


@pytest.mark.parametrize(("message", "arguments"), CAPTIONS.items(), ids=list(CAPTIONS))
def test_generate_captions_refuses(message, arguments):
    with pytest.raises(ValueError, match=message):
        lvm.generate_captions(LANGUAGE, *arguments)


def test_replace_values_refuses_wrong_arguments():
    replace = partial(replace_values, KEY, LANGUAGE)
    with pytest.raises(ValueError, match="values: color is -1 at index 0: allowed is an integer"):
        replace(np.array([[0, -1]]), perturbable=BOTH, probability=0.5)
    with pytest.raises(ValueError, match="probability is 50: allowed is 0 to 1"):
        replace(np.array([[0, 0]]), perturbable=BOTH, probability=50)
    with pytest.raises(ValueError, match=r"perturbable has shape \(1,\): allowed is \(2,\)"):
        replace(np.array([[0, 0]]), perturbable=BOTH[:1], probability=0.5)


@pytest.fixture(scope="module")
def scenes():
    return jax.device_get(lvm.sample_scenes(KEY, 3))


@pytest.mark.parametrize("resolution", [0, -8, 8.5])
def test_render_refuses_another_resolution(scenes, resolution):
    scene = jax.tree.map(lambda leaf: leaf[0], scenes)
    message = f"resolution is {resolution}: allowed is (an integer, )?1 or more"
    with pytest.raises(ValueError, match=message):
        lvm.render(scene, resolution)
    with pytest.raises(ValueError, match=message):
        next(render_batches(scenes, resolution))


def test_render_refuses_other_scenes(scenes):
    with pytest.raises(ValueError, match=r"scenes.shape has shape \(3,\): allowed is \(\), one"):
        lvm.render(scenes, 8)
    scene = jax.tree.map(lambda leaf: leaf[0], scenes)
    with pytest.raises(ValueError, match="scenes.shape is 7: allowed is an integer, 0..6"):
        lvm.render(scene._replace(shape=np.int32(7)), 8)
    with pytest.raises(ValueError, match="the number of scenes is 0: allowed is 1 or more"):
        next(render_batches(jax.tree.map(lambda leaf: leaf[:0], scenes), 8))


def test_word_values_refuse_other_scenes(scenes):
    values = partial(word_values, make_scene_words([{"red": "#ff0000", "blue": "#0000ff"}] * 3))
    with pytest.raises(ValueError, match=r"scenes.color has shape \(2,\): allowed is \(3,\), as"):
        values(scenes._replace(color=scenes.color[:2]))
    with pytest.raises(ValueError, match="scenes.x_pos is 3 at index 0: allowed is an integer"):
        values(scenes._replace(x_pos=scenes.x_pos * 0 + 3))
    with pytest.raises(ValueError, match="scenes.s_pos is nan at index 0: allowed is 0 to 1"):
        values(scenes._replace(s_pos=scenes.s_pos * np.nan))
