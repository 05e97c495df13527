import colorsys
import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm

SIDE = 32
QUALITY = lvm.Quality(steps=20, shadow_steps=8)
RENDER = jax.jit(jax.vmap(partial(lvm.render, resolution=SIDE, quality=QUALITY)))
BATCH = 28  # one size, so that one program renders all tests
BASE = {
    **{"shape": 1, "x_pos": 1, "y_pos": 1, "s_pos": 0.1, "color": 0.05, "s_color": 0.2},
    **{"b_color": 0.6, "alpha": 0.5, "beta": 0.5, "gamma": 0.6},
}
WHOLE = {"shape", "x_pos", "y_pos"}


def scenes_of(dicts):
    columns = {name: [{**BASE, **d}[name] for d in dicts] for name in BASE}
    kind = lambda name: jnp.int32 if name in WHOLE else jnp.float32
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
    picture = jax.eval_shape(partial(lvm.render, resolution=20), jax.tree.map(lambda a: a[0], scenes_of([{}])))
    assert picture.shape == (20, 20, 3)
    assert picture.dtype == jnp.uint8


@pytest.mark.parametrize("samples", [1, 2])
def test_a_picture_is_the_same_alone_compiled_and_among_others(samples):
    render = partial(lvm.render, resolution=16, quality=lvm.Quality(10, 5, samples))
    scenes = scenes_of(drawn(3))
    together = np.asarray(jax.jit(jax.vmap(render))(scenes)).astype(int)
    for place in range(3):
        scene = jax.tree.map(lambda leaf, place=place: leaf[place], scenes)
        assert np.abs(jax.jit(render)(scene) - together[place]).max() <= 1
    assert np.abs(render(scene) - together[-1]).max() <= 1


def test_a_picture_is_rendered_to_the_same_bits_again():
    scenes = drawn(4)
    np.testing.assert_array_equal(pictures(scenes), pictures(scenes))


# least difference in grey levels of two scenes that differ in one latent: about half of the least
# that was seen over 200 scenes
MOVES = {"shape": 1, "x_pos": 1, "y_pos": 1, "s_pos": 1, "color": 1, "s_color": 1, "b_color": 1}
MOVES |= {"alpha": 0.5, "beta": 0.5, "gamma": 0.5}


def moved(scene, latent):
    """The scene with another value of a latent, a third of its range away."""
    if latent in WHOLE:
        return {**scene, latent: (scene[latent] + 1) % (7 if latent == "shape" else 3)}
    value = scene[latent]
    return {**scene, latent: value + 0.33 if value < 0.5 else value - 0.33}


@pytest.mark.parametrize("latent", BASE)
def test_every_latent_moves_pixels(latent):
    scenes = drawn(14)
    both = pictures([*scenes, *(moved(scene, latent) for scene in scenes)])
    for scene, one, other in zip(scenes, both[:14], both[14:], strict=True):
        assert difference(one, other) > MOVES[latent], scene
