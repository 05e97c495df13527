import colorsys
import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.scenes.rendering.render import Quality

SIDE = 32
QUALITY = Quality(steps=20, shadow_steps=8)
RENDER = jax.jit(jax.vmap(partial(lvm.render, resolution=SIDE, quality=QUALITY)))
BATCH = 28  # one size, so that one program renders all tests
BASE = {
    **{"shape": 1, "x_pos": 1, "y_pos": 1, "s_pos": 0.1, "color": 0.05, "s_color": 0.2},
    **{"b_color": 0.6, "alpha": 0.5, "beta": 0.5, "gamma": 0.6},
}
WHOLE_CAPTION = {"shape", "x_pos", "y_pos"}


def scenes_of(dicts):
    columns = {name: [{**BASE, **d}[name] for d in dicts] for name in BASE}
    kind = lambda name: jnp.int32 if name in WHOLE_CAPTION else jnp.float32
    return lvm.Scenes(**{name: jnp.array(values, kind(name)) for name, values in columns.items()})


def pictures(dicts):
    """Pictures of some scenes, as integers, so that they can be subtracted."""
    padded = [*dicts, *[{}] * (-len(dicts) % BATCH)]
    parts = [RENDER(scenes_of(padded[i : i + BATCH])) for i in range(0, len(padded), BATCH)]
    return np.concatenate(parts)[: len(dicts)].astype(int)


def difference(one, other):
    """The mean absolute difference in grey levels."""
    return np.abs(one - other).mean()


def drawn(count):
    """Scenes by the causal graph, as dictionaries."""
    scenes = lvm.sample_scenes(jax.random.key(1), count)
    return [{name: leaf[i].item() for name, leaf in scenes._asdict().items()} for i in range(count)]


def test_shape_and_type():
    scene = jax.tree.map(lambda leaf: leaf[0], scenes_of([{}]))
    picture = jax.eval_shape(partial(lvm.render, resolution=20), scene)
    assert picture.shape == (20, 20, 3)
    assert picture.dtype == jnp.uint8


@pytest.mark.slow
def test_a_picture_is_the_same_alone_compiled_and_among_others():
    render = partial(lvm.render, resolution=16, quality=Quality(10, 5, samples=2))
    scenes = scenes_of(drawn(3))
    together = np.asarray(jax.jit(jax.vmap(render))(scenes)).astype(int)
    for place in range(3):
        scene = jax.tree.map(lambda leaf, place=place: leaf[place], scenes)
        assert np.abs(jax.jit(render)(scene) - together[place]).max() <= 1
    assert np.abs(render(scene) - together[-1]).max() <= 1


def test_a_picture_is_rendered_to_the_same_bits_again():
    scenes = drawn(4)
    np.testing.assert_array_equal(pictures(scenes), pictures(scenes))


# grey levels by which two scenes differ at least: half of the least that was seen in 56 scenes
MOVES = {
    **{"shape": 1.9, "x_pos": 4.4, "y_pos": 3.9, "s_pos": 2.8, "color": 1, "s_color": 2.4},
    **{"b_color": 30, "alpha": 0.7, "beta": 0.8, "gamma": 1.1},
}


def moved(scene, latent):
    """The scene with another value of a latent, a third of its range away."""
    if latent in WHOLE_CAPTION:
        return {**scene, latent: (scene[latent] + 1) % (7 if latent == "shape" else 3)}
    value = scene[latent]
    return {**scene, latent: value + 0.33 if value < 0.5 else value - 0.33}


@pytest.mark.parametrize("latent", BASE)
def test_every_latent_moves_pixels(latent):
    scenes = drawn(14)
    both = pictures([*scenes, *(moved(scene, latent) for scene in scenes)])
    for scene, one, other in zip(scenes, both[:14], both[14:], strict=True):
        assert difference(one, other) > MOVES[latent], scene


def test_shapes_differ_pairwise_in_the_same_pose():
    for scene in drawn(4):
        shown = pictures([{**scene, "shape": shape} for shape in range(7)])
        for one, other in itertools.combinations(range(7), 2):
            assert difference(shown[one], shown[other]) > 1.2, (scene, one, other)


@pytest.mark.parametrize("shape", range(7))
@pytest.mark.parametrize("turn", ["alpha", "beta", "gamma"])
def test_no_shape_looks_the_same_at_two_rotations(shape, turn):
    shown = pictures([{"shape": shape, turn: share / 4} for share in range(5)])
    for one, other in itertools.combinations(range(5), 2):
        assert difference(shown[one], shown[other]) > 0.8, (one, other)


@pytest.mark.parametrize("latent", ["s_pos", "color", "s_color", "b_color"])
def test_what_lies_on_a_circle_comes_round(latent):
    begin, end, between = pictures([{latent: share} for share in (0.0, 1.0, 0.5)])
    assert np.abs(begin - end).max() <= 1
    assert difference(begin, between) > 1


PLACES = list(itertools.product(range(3), range(3)))


def test_the_object_is_where_the_layout_says():
    scenes = [{"x_pos": x_pos, "y_pos": y_pos} for x_pos, y_pos in PLACES]
    red, green = (pictures([{**s, "color": hue} for s in scenes]) for hue in (0.0, 0.4))
    for (x_pos, y_pos), one, other in zip(PLACES, red, green, strict=True):
        rows, columns = np.nonzero(np.abs(one - other).sum(-1) > 60)
        ray = np.array([3 * y_pos - 3, 3 * x_pos - 3, 0]) - [8, 0, 8]
        depth = ray @ [-1, 0, -1] / 2**0.5 * np.tan(np.radians(71 / 2))
        column = (ray[1] / depth + 1) / 2 * SIDE
        row = (1 - ray @ [-1, 0, 1] / 2**0.5 / depth) / 2 * SIDE
        assert np.hypot(columns.mean() - column, rows.mean() - row) < 3, (x_pos, y_pos)
        assert 20 < len(rows) < SIDE**2 / 4


def hue_and_saturation(color):
    return colorsys.rgb_to_hsv(*(color / 255))[:2]


def test_the_hue_of_the_ground_is_that_of_the_corners():
    hues = np.linspace(0.02, 0.98, 12)
    for hue, shown in zip(hues, pictures([{"b_color": hue} for hue in hues]), strict=True):
        found, saturation = hue_and_saturation(shown[0, 0])
        np.testing.assert_allclose(found, hue, atol=0.02)
        np.testing.assert_allclose(saturation, 0.6, atol=0.03)


def test_the_hue_of_the_object_is_that_of_most_of_its_pixels():
    hues = np.linspace(0.02, 0.98, 12)
    scenes = [{"shape": 0, "color": hue, "s_color": hue} for hue in hues]
    other = pictures([{**scene, "color": scene["color"] + 0.5} for scene in scenes])
    for hue, shown, changed in zip(hues, pictures(scenes), other, strict=True):
        there = np.abs(shown - changed).sum(-1) > 120
        found = np.array([hue_and_saturation(color)[0] for color in shown[there]])
        assert np.median(np.abs((found - hue + 0.5) % 1 - 0.5)) < 0.03


def test_the_spotlight_makes_a_pool_of_its_hue():
    for scene, hue in (
        ({"b_color": 0.6}, 0.0),
        ({"b_color": 0.0}, 1 / 3),
        ({"b_color": 0.3}, 2 / 3),
    ):
        shown = pictures([{**scene, "s_color": hue, "s_pos": 0.0}])[0]
        added = (shown - shown[0, 0]).reshape(-1, 3)
        brightest = added[added.sum(1).argsort()[-60:]].mean(0)
        assert brightest.argmax() == round(3 * hue), (scene, hue)
        assert brightest.max() > 20


def test_a_finer_picture_shows_the_same():
    coarse = pictures([{}])[0]
    fine = jax.jit(partial(lvm.render, resolution=2 * SIDE, quality=QUALITY))
    fine = np.asarray(fine(jax.tree.map(lambda leaf: leaf[0], scenes_of([{}])))).astype(float)
    assert difference(coarse, fine.reshape(SIDE, 2, SIDE, 2, 3).mean((1, 3))) < 3


@pytest.mark.parametrize("field", ["steps", "shadow_steps", "samples"])
def test_bad_quality(field):
    with pytest.raises(ValueError, match=f"quality.{field} is 0: allowed is 1 or more"):
        Quality(**{field: 0})


def test_bad_resolution():
    scene = jax.tree.map(lambda leaf: leaf[0], scenes_of([{}]))
    with pytest.raises(ValueError, match="resolution is 0: allowed is 1 or more"):
        lvm.render(scene, resolution=0)
