import colorsys
import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.scenes.rendering.render import Quality
from tests.optimised import OPTIMISED

SIDE = 32
QUALITY = Quality(steps=20, shadow_steps=8)
RENDER = jax.jit(
    jax.vmap(partial(lvm.render, resolution=SIDE, quality=QUALITY)), compiler_options=OPTIMISED
)
BATCH = 28  # one batch size for all tests, so that rendering is compiled once
BASE = {
    **{"shape": 1, "x_pos": 1, "y_pos": 1, "s_pos": 0.1, "color": 0.05, "s_color": 0.2},
    **{"b_color": 0.6, "alpha": 0.5, "beta": 0.5, "gamma": 0.6},
}
INTEGER_LATENTS = {"shape", "x_pos", "y_pos"}


def scenes_of(dicts):
    columns = {name: [{**BASE, **d}[name] for d in dicts] for name in BASE}
    dtype = lambda name: np.int32 if name in INTEGER_LATENTS else np.float32
    return lvm.Scenes(**{name: np.array(values, dtype(name)) for name, values in columns.items()})


def render_scenes(dicts):
    """Returns the images of scenes as signed integers, so that they can be subtracted."""
    padded = [*dicts, *[{}] * (-len(dicts) % BATCH)]
    parts = [RENDER(scenes_of(padded[i : i + BATCH])) for i in range(0, len(padded), BATCH)]
    return np.concatenate(parts)[: len(dicts)].astype(int)


def difference(a, b):
    """Returns the mean absolute difference in grey levels."""
    return np.abs(a - b).mean()


def drawn(count):
    """Returns scenes drawn from the causal graph, as dictionaries."""
    scenes = lvm.sample_scenes(jax.random.key(1), count)
    return [{name: leaf[i].item() for name, leaf in scenes._asdict().items()} for i in range(count)]


def test_an_image_has_the_documented_shape_and_type():
    scene = jax.tree.map(lambda leaf: leaf[0], scenes_of([{}]))
    image = jax.eval_shape(partial(lvm.render, resolution=20), scene)
    assert image.shape == (20, 20, 3)
    assert image.dtype == jnp.uint8


@pytest.mark.slow
def test_plain_compiled_and_batched_rendering_agree():
    render = partial(lvm.render, resolution=16, quality=Quality(10, 5, samples=2))
    scenes = scenes_of(drawn(3))
    together = np.asarray(jax.jit(jax.vmap(render))(scenes)).astype(int)
    for index in range(3):
        scene = jax.tree.map(lambda leaf, index=index: leaf[index], scenes)
        assert np.abs(jax.jit(render)(scene) - together[index]).max() <= 1
    assert np.abs(render(scene) - together[-1]).max() <= 1


def test_rendering_is_deterministic():
    scenes = drawn(4)
    np.testing.assert_array_equal(render_scenes(scenes), render_scenes(scenes))


# lower bound of the difference in grey levels: half of the smallest among 56 scenes
LEAST_DIFFERENCE = {
    **{"shape": 1.9, "x_pos": 4.4, "y_pos": 3.9, "s_pos": 2.8, "color": 1, "s_color": 2.4},
    **{"b_color": 30, "alpha": 0.7, "beta": 0.8, "gamma": 1.1},
}


def changed(scene, latent):
    """Returns the scene with another value of a latent, a third of its range away."""
    if latent in INTEGER_LATENTS:
        return {**scene, latent: (scene[latent] + 1) % (7 if latent == "shape" else 3)}
    value = scene[latent]
    return {**scene, latent: value + 0.33 if value < 0.5 else value - 0.33}


@pytest.mark.parametrize("latent", BASE)
def test_every_latent_changes_the_image(latent):
    scenes = drawn(14)
    images = render_scenes([*scenes, *(changed(scene, latent) for scene in scenes)])
    for scene, before, after in zip(scenes, images[:14], images[14:], strict=True):
        assert difference(before, after) > LEAST_DIFFERENCE[latent], scene


def test_shapes_differ_pairwise_in_the_same_pose():
    scenes = drawn(4)
    every = render_scenes([{**scene, "shape": shape} for scene in scenes for shape in range(7)])
    for scene, images in zip(scenes, np.split(every, 4), strict=True):
        for first, second in itertools.combinations(range(7), 2):
            assert difference(images[first], images[second]) > 1.2, (scene, first, second)


@pytest.mark.parametrize("shape", range(7))
def test_no_shape_looks_the_same_at_two_rotations(shape):
    angles = ("alpha", "beta", "gamma")
    rotated = [{"shape": shape, angle: step / 4} for angle in angles for step in range(5)]
    for angle, images in zip(angles, np.split(render_scenes(rotated), 3), strict=True):
        for first, second in itertools.combinations(range(5), 2):
            assert difference(images[first], images[second]) > 0.8, (angle, first, second)


def test_circular_latents_are_periodic():
    latents = ("s_pos", "color", "s_color", "b_color")
    images = render_scenes([{latent: value} for latent in latents for value in (0.0, 1.0, 0.5)])
    for latent, (begin, end, middle) in zip(latents, np.split(images, 4), strict=True):
        assert np.abs(begin - end).max() <= 1, latent
        assert difference(begin, middle) > 1, latent


PLACES = list(itertools.product(range(3), range(3)))


def test_the_object_is_at_its_position_in_the_layout():
    scenes = [{"x_pos": x_pos, "y_pos": y_pos} for x_pos, y_pos in PLACES]
    red, green = (render_scenes([{**s, "color": hue} for s in scenes]) for hue in (0.0, 0.4))
    for (x_pos, y_pos), red_image, green_image in zip(PLACES, red, green, strict=True):
        rows, columns = np.nonzero(np.abs(red_image - green_image).sum(-1) > 60)
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
    for hue, image in zip(hues, render_scenes([{"b_color": hue} for hue in hues]), strict=True):
        found, saturation = hue_and_saturation(image[0, 0])
        np.testing.assert_allclose(found, hue, atol=0.02)
        np.testing.assert_allclose(saturation, 0.6, atol=0.03)


def test_the_hue_of_the_object_is_that_of_most_of_its_pixels():
    hues = np.linspace(0.02, 0.98, 12)
    scenes = [{"shape": 0, "color": hue, "s_color": hue} for hue in hues]
    others = render_scenes([{**scene, "color": scene["color"] + 0.5} for scene in scenes])
    for hue, image, other in zip(hues, render_scenes(scenes), others, strict=True):
        is_object = np.abs(image - other).sum(-1) > 120
        found = np.array([hue_and_saturation(color)[0] for color in image[is_object]])
        assert np.median(np.abs((found - hue + 0.5) % 1 - 0.5)) < 0.03


def test_the_spotlight_makes_a_pool_of_its_hue():
    hues = {0.6: 0.0, 0.0: 1 / 3, 0.3: 2 / 3}  # of the ground and of the spotlight
    scenes = [{"b_color": ground, "s_color": hue, "s_pos": 0.0} for ground, hue in hues.items()]
    for hue, image in zip(hues.values(), render_scenes(scenes), strict=True):
        added = (image - image[0, 0]).reshape(-1, 3)
        brightest = added[added.sum(1).argsort()[-60:]].mean(0)
        assert brightest.argmax() == round(3 * hue), hue
        assert brightest.max() > 20


def test_a_higher_resolution_gives_the_same_image():
    coarse = render_scenes([{}])[0]
    fine = jax.jit(partial(lvm.render, resolution=2 * SIDE, quality=QUALITY))
    fine = np.asarray(fine(jax.tree.map(lambda leaf: leaf[0], scenes_of([{}])))).astype(float)
    assert difference(coarse, fine.reshape(SIDE, 2, SIDE, 2, 3).mean((1, 3))) < 3


@pytest.mark.parametrize("field", ["steps", "shadow_steps", "samples"])
def test_quality_below_1_is_refused(field):
    with pytest.raises(ValueError, match=f"quality.{field} is 0: allowed is 1 or more"):
        Quality(**{field: 0})


def test_a_resolution_below_1_is_refused():
    scene = jax.tree.map(lambda leaf: leaf[0], scenes_of([{}]))
    with pytest.raises(ValueError, match="resolution is 0: allowed is 1 or more"):
        lvm.render(scene, resolution=0)
