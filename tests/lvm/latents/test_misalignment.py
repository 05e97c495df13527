from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lvm
from experiments.configs import default, scenes_small
from experiments.sweep.plan import make_plan
from lvm.latents.misalignment import INDICATOR_KINDS, WHOLE_CAPTION, WITHIN_CATEGORY
from lvm.latents.mixing import unmix
from tests.small import small_config

KINDS = tuple(lvm.MISALIGNMENTS)
OMITTING = tuple(kind for kind in KINDS if kind.startswith(("mcar", "mar", "mnar")))
N, COUNT = 4, 4000
SPEC = lvm.WorldSpec(semantics=N, image_only=2, text_only=2)
EVERY = lvm.MisalignmentSpec(KINDS)
PLAIN = lvm.MisalignmentSpec()


@pytest.fixture(scope="module")
def worlds():
    draw = jax.jit(lambda law: lvm.init_world(jax.random.key(20), SPEC, law))
    return {name: draw(jnp.int32(index)) for index, name in enumerate(lvm.DEPENDENCES)}


@pytest.fixture(scope="module")
def world(worlds):
    """A world whose semantics depend on one another in the order s1, s2, s3, s4."""
    return worlds["dependent"]


def bias(selected=(1, 2, 3, 4), perturbable=()):
    return lvm.bias_from_indices(N, selected, perturbable)


@partial(jax.jit, static_argnums=4)
def draw(world, some_bias, rate, kind, spec):
    key = jax.random.key(7)
    return lvm.sample_pairs(
        key, world, some_bias, COUNT, noise_probability=rate, misalignment=kind, spec=spec
    )


def sample(world, kind, rate, perturbable=(2, 3), spec=EVERY, selected=(1, 2, 3, 4)):
    index = jnp.int32(KINDS.index(kind))
    return draw(world, bias(selected, perturbable), jnp.float32(rate), index, spec)


def assert_equal(a, b, ignored=()):
    for field in set(lvm.Pairs._fields) - set(ignored):
        np.testing.assert_array_equal(getattr(a, field), getattr(b, field), err_msg=field)


def squared_correlation(a, b):
    return np.corrcoef(a, b)[0, 1] ** 2


def test_noise_among_other_kinds_is_the_noise_of_the_paper(world):
    alone, among = (sample(world, "noise", 0.4, spec=spec) for spec in (PLAIN, EVERY))
    assert_equal(alone, among, ignored=["t"])
    np.testing.assert_array_equal(alone.t, among.t[:, : N + 2])
    key_noise, key_subset, _ = jax.random.split(jax.random.key(7), 3)
    drawn = jax.random.bernoulli(key_subset, 0.4, (COUNT, N))
    noise = jax.random.normal(key_noise, (COUNT, N + 4 + N))[:, -N:] @ world.root_noise.T
    distorted = drawn & bias(perturbable=(2, 3)).perturbable[None]
    np.testing.assert_allclose(
        alone.s_text, jnp.where(distorted, alone.s + noise, alone.s), atol=1e-5
    )


@pytest.mark.parametrize("kind", KINDS)
def test_at_rate_0_captions_are_those_of_full_selection(world, kind):
    chosen = () if kind in WHOLE_CAPTION else (2, 3)
    assert_equal(sample(world, kind, 0, chosen), sample(world, "noise", 0, ()))


@pytest.mark.parametrize("kind", OMITTING)
def test_at_rate_1_captions_are_those_that_omit(world, kind):
    random, fixed = sample(world, kind, 1), sample(world, "noise", 0, (), selected=(1, 4))
    assert_equal(random, fixed, ignored=["t"])
    np.testing.assert_array_equal(random.t[:, :-N], fixed.t[:, :-N])


RIGHT = set(KINDS) - WHOLE_CAPTION - WITHIN_CATEGORY - {"propagating_in_text"}


@pytest.mark.parametrize("kind", sorted(RIGHT))
def test_captions_are_right_about_all_but_perturbable_semantics(world, kind):
    pairs = sample(world, kind, 0.5)
    np.testing.assert_array_equal(pairs.s_text[:, [0, 3]], pairs.s[:, [0, 3]])
    assert (pairs.s_text[:, [1, 2]] != pairs.s[:, [1, 2]]).any(0).all()


@settings(max_examples=15, deadline=None)
@given(rate=st.floats(0, 1, width=32), kind=st.sampled_from(["mcar", "mar", "mnar"]))
def test_the_rate_is_the_fraction_of_missing_values(worlds, rate, kind):
    for law in ("independent", "dependent"):
        pairs = sample(worlds[law], kind, rate)
        fractions = np.asarray(pairs.s_text == 0).mean(0)
        np.testing.assert_allclose(fractions, [0, rate, rate, 0], atol=0.04)


def missing_and_values(world, kind):
    pairs = sample(world, kind, 0.4)
    return np.asarray(pairs.s_text == 0)[:, [1, 2]], np.asarray(pairs.s)


def test_values_missing_completely_at_random_depend_on_no_value(worlds):
    missing, s = missing_and_values(worlds["independent"], "mcar")
    np.testing.assert_allclose(missing.all(1).mean(), 0.16, atol=0.025)
    assert abs(np.corrcoef(missing.T, s.T)[:2, 2:]).max() < 0.06


@pytest.mark.parametrize(("kind", "causes"), [("mar", [0, 0]), ("mnar", [1, 2])])
def test_values_missing_by_a_value_depend_on_that_value_alone(worlds, kind, causes):
    missing, s = missing_and_values(worlds["independent"], kind)
    found = np.corrcoef(missing.T, s.T)[:2, 2:]
    expected = np.zeros((2, N))
    expected[[0, 1], causes] = -0.558  # -φ(c) / √2 / √(0.4 · 0.6) at the 0.4 quantile c
    np.testing.assert_allclose(found, expected, atol=0.06)


def test_the_indicator_shows_missing_values_for_kinds_that_have_one(world):
    for kind in OMITTING:
        pairs = sample(world, kind, 0.5)
        missing = np.asarray(pairs.s_text == 0)
        indicator = missing if kind in INDICATOR_KINDS else np.zeros_like(missing)
        np.testing.assert_array_equal(pairs.t[:, -N:], indicator)
    hidden = sample(world, "mcar", 0.5, spec=lvm.MisalignmentSpec(("noise", "mcar")))
    assert hidden.t.shape == (COUNT, N + 2)


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_strength_sets_the_ratio_of_signal_and_noise(world, rate):
    pairs = sample(world, "strength", rate)
    for index in (1, 2):
        caption, true = pairs.s_text[:, index], pairs.s[:, index]
        np.testing.assert_allclose(caption.std(), true.std(), rtol=0.05)
        np.testing.assert_allclose(squared_correlation(caption, true), 1 - rate, atol=0.04)


def test_shuffled_captions_are_whole_captions_of_other_scenes(world):
    half, full = (sample(world, "shuffled", rate, ()) for rate in (0.5, 1.0))
    other = np.asarray(half.s_text != half.s)
    np.testing.assert_allclose(other.mean(0), 0.5, atol=0.03)
    np.testing.assert_array_equal(other, np.broadcast_to(other[:, :1], other.shape))
    np.testing.assert_allclose(
        np.corrcoef(full.s_text.T), np.corrcoef(full.s.T), atol=0.08
    )  # the law is the same
    cross = np.corrcoef(full.s_text.T, full.s.T)[:N, N:]
    np.testing.assert_allclose(cross, 0, atol=0.06)


@pytest.mark.parametrize("law", ["independent", "dependent", "nonlinear_scm"])
def test_captions_shuffled_in_category_are_those_of_another_scene_of_the_same_signs(worlds, law):
    half, full = (sample(worlds[law], "shuffled_in_category", rate) for rate in (0.5, 1.0))
    other = np.asarray(half.s_text != half.s)
    np.testing.assert_allclose(other.mean(0), 0.5, atol=0.03)
    np.testing.assert_array_equal(other, np.broadcast_to(other[:, :1], other.shape))
    s, caption = np.asarray(full.s), np.asarray(full.s_text)
    signs = s[:, [0, 3]] > 0
    np.testing.assert_array_equal(caption[:, [0, 3]] > 0, signs)
    for pattern in np.unique(signs, axis=0):
        rows = (signs == pattern).all(1)
        if (size := rows.sum()) < 400:
            continue
        between = np.corrcoef(caption[rows].T, s[rows].T)[:N, N:]
        np.testing.assert_allclose(between, 0, atol=4 / np.sqrt(size))  # all else is wrong
        scale, noise = s[rows].std(0), 5 / np.sqrt(size)  # and of the law of the category
        np.testing.assert_allclose((caption[rows].mean(0) - s[rows].mean(0)) / scale, 0, atol=noise)
        np.testing.assert_allclose(caption[rows].std(0) / scale, 1, atol=noise)


@jax.jit
def five_shuffled(key, world, some_bias):
    return lvm.sample_pairs(
        key, world, some_bias, 5, noise_probability=1.0, misalignment="shuffled_in_category"
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_category_without_another_scene_keeps_its_signs(worlds, seed):
    """Five scenes cannot have a match for most of sixteen categories."""
    some_bias = bias(perturbable=(2,))
    pairs = five_shuffled(jax.random.key(seed), worlds["dependent"], some_bias)
    s, caption = np.asarray(pairs.s), np.asarray(pairs.s_text)
    np.testing.assert_array_equal((caption > 0)[:, [0, 2, 3]], (s > 0)[:, [0, 2, 3]])
    assert (caption != s).all()


def test_captions_of_the_category_alone_hold_its_signs(world):
    pairs = sample(world, "category_alone", 1.0)
    signs = np.where(np.asarray(pairs.s) > 0, 1.0, -1.0) * [1, 0, 0, 1]
    np.testing.assert_array_equal(pairs.s_text, signs)


@pytest.mark.parametrize("rate", [0.0, 0.4, 1.0])
def test_best_r2_from_captions_shuffled_in_category(worlds, rate):
    """The best prediction is a blend of the caption value and the mean of its category."""
    pairs = sample(worlds["independent"], "shuffled_in_category", rate)
    s, caption = np.asarray(pairs.s), np.asarray(pairs.s_text)
    means = np.sqrt(2 / np.pi) * np.sign(caption) * [1, 0, 0, 1]
    best = (1 - rate) * caption + rate * means
    found = 1 - ((s - best) ** 2).mean(0) / s.var(0)
    perturbable = lvm.caption_r2("shuffled_in_category", rate)
    unbiased = 2 / np.pi + perturbable * (1 - 2 / np.pi)
    np.testing.assert_allclose(found, [unbiased, *[perturbable] * 2, unbiased], atol=0.05)
    np.testing.assert_allclose(perturbable, (1 - rate) ** 2)
    assert lvm.caption_r2("category_alone", rate, 2) == 1 - rate**2


def test_a_propagating_distortion_changes_the_scene_of_descendants_alone(world):
    clean, changed = (sample(world, "propagating", rate, (2,)) for rate in (0.0, 1.0))
    np.testing.assert_array_equal(changed.s[:, 0], clean.s[:, 0])
    np.testing.assert_allclose(changed.s[:, 1], clean.s[:, 1], atol=1e-4)
    moved = abs(np.asarray(changed.s - clean.s)).mean(0)
    assert (moved[2:] > 0.1).all()
    assert not np.allclose(changed.x, clean.x, atol=0.1)
    # the distortion moves them along the edges of the graph
    distortion = np.asarray(changed.s_text - changed.s)
    effect = np.linalg.inv(np.eye(N) - np.asarray(world.semantics.weights))
    through = distortion @ effect.T
    through[:, 1] = 0
    np.testing.assert_allclose(changed.s - clean.s, through, atol=1e-3)


def test_a_distortion_of_a_semantic_without_descendants_does_not_propagate(worlds):
    for law, last in (("dependent", 4), ("independent", 2)):
        for kind in ("propagating", "propagating_in_text"):
            pairs, noise = (sample(worlds[law], name, 1.0, (last,)) for name in (kind, "noise"))
            for field in ("s", "s_text", "x"):
                np.testing.assert_allclose(
                    getattr(pairs, field), getattr(noise, field), atol=1e-4, rtol=1e-4
                )


def test_propagating_in_text_distorts_descendants_and_keeps_the_scene(world):
    noise, wrong = (sample(world, kind, 1.0, (2,)) for kind in ("noise", "propagating_in_text"))
    assert_equal(noise, wrong, ignored=["t", "s_text"])
    np.testing.assert_array_equal(wrong.s_text[:, 0], wrong.s[:, 0])
    np.testing.assert_allclose(wrong.s_text[:, 1], noise.s_text[:, 1], atol=1e-4)
    followed = sample(world, "propagating", 1.0, (2,))
    np.testing.assert_allclose(wrong.s_text, followed.s_text, atol=1e-4)
    assert (abs(np.asarray(wrong.s_text - wrong.s)).mean(0)[2:] > 0.1).all()


def test_propagation_follows_nonlinear_mechanisms(worlds):
    pairs = sample(worlds["nonlinear_scm"], "propagating", 1.0, (1, 2, 3))
    law, captions = worlds["nonlinear_scm"].semantics, np.asarray(pairs.s_text)
    key_noise, *_ = jax.random.split(jax.random.key(7), 3)
    exogenous = np.asarray(jax.random.normal(key_noise, (COUNT, N + 4 + N)))[:, :N]
    caused = np.sin(2 * captions) @ np.asarray(law.weights).T
    expected = caused + exogenous * np.asarray(law.scale)[None]
    np.testing.assert_allclose(pairs.s, expected, atol=1e-3)


def test_several_captions_share_a_scene_and_are_misaligned_independently(worlds):
    three = lvm.MisalignmentSpec(("noise", "mcar", "mcar_indicator"), captions=3)
    pairs = sample(worlds["independent"], "mcar_indicator", 0.5, spec=three)
    assert pairs.t.shape == (COUNT, 3 * (N + 2 + N))
    assert pairs.m_t.shape == (COUNT, 3 * 2)
    captions = np.asarray(pairs.s_text).reshape(COUNT, 3, N)
    right = captions == np.asarray(pairs.s)[:, None]
    np.testing.assert_array_equal(right | (captions == 0), True)
    np.testing.assert_allclose(right.any(1).mean(0), [1, 0.875, 0.875, 1], atol=0.03)
    latents = np.concatenate([captions[:, 2], pairs.m_t[:, 4:]], axis=1)
    third = np.asarray(pairs.t)[:, 2 * (N + 2 + N) :][:, : N + 2]
    np.testing.assert_allclose(
        jax.jit(unmix)(worlds["independent"].mixing_t, third), latents, atol=1e-3
    )


@pytest.mark.slow
def test_vmap_over_kinds_agrees_with_each_kind_alone(world):
    indices = jnp.arange(len(KINDS))
    one_bias = bias(perturbable=(2, 3))
    together = jax.vmap(lambda kind: draw(world, one_bias, jnp.float32(0.5), kind, EVERY))(indices)
    for index, kind in enumerate(KINDS):
        alone = sample(world, kind, 0.5, spec=lvm.MisalignmentSpec((kind,)))
        for field in ("s", "s_text", "x", "m_t"):
            np.testing.assert_allclose(
                getattr(together, field)[index], getattr(alone, field), atol=1e-4, rtol=1e-4
            )


@pytest.mark.parametrize("rate", [0.0, 0.25, 0.75, 1.0])
@pytest.mark.parametrize("captions", [1, 3])
def test_best_r2_from_captions_with_missing_values(worlds, rate, captions):
    """The best prediction is the mean of missing values if all captions omit it, else the value."""
    spec = lvm.MisalignmentSpec(("mcar", "mar", "mnar"), captions)
    for kind in spec.kinds:
        pairs = sample(worlds["independent"], kind, rate, spec=spec)
        missing = (np.asarray(pairs.s_text).reshape(COUNT, captions, N) == 0).all(1)[:, 1]
        s = np.asarray(pairs.s)[:, 1]
        residual = (missing * (s - s[missing].mean()) ** 2).mean() if missing.any() else 0
        found = 1 - residual / s.var()
        np.testing.assert_allclose(found, lvm.caption_r2(kind, rate, captions), atol=0.03)
        np.testing.assert_equal(
            lvm.caption_r2(kind + "_indicator", rate, captions),
            lvm.caption_r2(kind, rate, captions),
        )


@pytest.mark.parametrize("kind", ["strength", "shuffled"])
def test_best_r2_from_blended_and_shuffled_captions(worlds, kind):
    """The best prediction is linear in the caption values."""
    pairs = sample(worlds["independent"], kind, 0.4, () if kind in WHOLE_CAPTION else (2,))
    found = squared_correlation(pairs.s_text[:, 1], pairs.s[:, 1])
    np.testing.assert_allclose(found, lvm.caption_r2(kind, 0.4), atol=0.04)


def test_best_r2_without_a_closed_form_is_nan():
    for kind, captions in (("noise", 1), ("propagating", 1), ("shuffled", 2)):
        assert np.isnan(lvm.caption_r2(kind, 0.5, captions))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"kinds": ("forgotten",)}, "misalignment is 'forgotten': allowed is one of noise"),
        ({"captions": 0}, "captions is 0: allowed is 1 or more"),
        ({"kinds": ("propagating",), "captions": 2}, "captions is 2: allowed is 1 with"),
    ],
)
def test_invalid_specs_are_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        lvm.MisalignmentSpec(**choices)


def planned(*kinds, perturbable="s2", rate=0.5, **changes):
    choose = partial(default.setting, "s1 s2 s3", perturbable, noise_probability=rate)
    chosen = tuple(choose(misalignment=kind) for kind in kinds)
    return make_plan(small_config(settings=chosen, **changes))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (partial(planned, "noise", "lost"), r"settings\[1\].misalignment is 'lost': allowed is"),
        (partial(planned, "mcar", rate=1.1), "noise_probability is 1.1: allowed is 0 to 1"),
        (partial(planned, "mcar", rate=-0.1), "noise_probability is -0.1: allowed is 0 to 1"),
        (partial(planned, "mcar", rate=np.nan), "noise_probability is nan: allowed is 0 to 1"),
        (partial(planned, "shuffled"), r"settings\[0\].perturbable is 's2': allowed is '' with"),
        (partial(planned, "strength", perturbable=""), r"settings\[0\].perturbable is ''"),
        (partial(planned, "noise", **{"world.captions": 0}), "world.captions is 0: allowed is 1"),
        (partial(planned, "propagating", **{"world.captions": 2}), "world.captions is 2: allowed"),
    ],
)
def test_invalid_settings_are_refused_with_field_and_value(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_captioned_images_refuse_misalignments_of_latents():
    config = scenes_small.get_config()
    config.settings[-1].misalignment = "strength"
    allowed = "misalignment is 'strength': allowed is one of noise, mcar, mar, mnar, shuffled_in"
    with pytest.raises(ValueError, match=allowed):
        make_plan(config)


def test_lanes_are_named_by_their_misalignment():
    plan = planned("noise", "mnar", "propagating")
    names = [lane.setting for lane in plan.lanes]
    kinds = ["noise", "mnar", "propagating"]
    assert names == ["perturb {2}", "perturb {2} mnar", "perturb {2} propagating"]
    assert [lane.misalignment for lane in plan.lanes] == kinds
    assert [KINDS[index] for index in plan.data.misalignment] == kinds
    assert planned("shuffled", perturbable="").lanes[0].setting == "select [3] shuffled"


def test_settings_without_misalignment_have_the_noise_of_the_paper():
    setting = default.setting("s1 s2", "s2")
    del setting.misalignment
    assert make_plan(small_config(settings=(setting,))).lanes[0].misalignment == "noise"


def test_all_texts_of_a_study_have_the_same_width():
    plan = planned("noise", "mcar_indicator", "strength", **{"world.captions": 2})
    lane = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), plan.data)
    world = plan.domain.init_world(jax.random.key(0), lane, ())
    sample = jax.jit(lambda *of: plan.domain.sample(of[0], 5, shared=(), world=of[1], lane=of[2]))
    pairs = sample(jax.random.key(1), world, lane)
    assert pairs.t.shape == (5, 2 * (3 + 2 + 3))
    np.testing.assert_array_equal(pairs.t.reshape(5, 2, 8)[:, :, 5:], 0)


def test_kinds_are_recognised_by_their_names_alone(monkeypatch):
    assert {*INDICATOR_KINDS, *INDICATOR_KINDS.values()} == set(OMITTING)
    for kind in ("mcar_marked", "shown_indicator"):
        monkeypatch.setitem(lvm.MISALIGNMENTS, kind, lvm.MISALIGNMENTS["noise"])
        assert not lvm.MisalignmentSpec((kind,)).has_indicator
        assert np.isnan(lvm.caption_r2(kind, 0.5))
    for kind, plain in INDICATOR_KINDS.items():
        assert lvm.MisalignmentSpec(("noise", kind)).has_indicator
        assert lvm.caption_r2(kind, 0.3, 2) == lvm.caption_r2(plain, 0.3, 2)
