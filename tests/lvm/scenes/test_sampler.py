import itertools

import jax
import numpy as np
import pytest

import lvm

COUNT = 4000


@pytest.fixture(scope="module")
def scenes():
    return jax.tree.map(np.asarray, lvm.sample_scenes(jax.random.key(5), COUNT))


def exogenous(scenes):
    """Returns the independent exogenous variables of the causal graph, by latent."""
    return {
        "shape": scenes.shape / 6,
        "x_pos": scenes.x_pos / 2,
        "y_pos": scenes.y_pos / 2,
        "s_pos": scenes.s_pos,
        "color": 3 * scenes.color - (scenes.x_pos + scenes.y_pos) / 2,
        "s_color": 2 * scenes.s_color - scenes.s_pos,
        "b_color": 3 * scenes.b_color - scenes.s_pos - scenes.s_color,
        "alpha": scenes.alpha,
        "beta": scenes.beta,
        "gamma": scenes.gamma,
    }


def test_fields_have_the_documented_shapes_and_types(scenes):
    for name, values in scenes._asdict().items():
        assert values.shape == (COUNT,)
        assert values.dtype == (np.int32 if name in {"shape", "x_pos", "y_pos"} else np.float32)


def test_positions_and_shapes_are_uniform(scenes):
    for values, size in ((scenes.shape, 7), (scenes.x_pos, 3), (scenes.y_pos, 3)):
        assert set(values.tolist()) == set(range(size))
        np.testing.assert_allclose(np.bincount(values) / COUNT, 1 / size, atol=0.03)


def test_exogenous_variables_are_uniform(scenes):
    for name, values in list(exogenous(scenes).items())[3:]:
        assert values.min() > -1e-5, name
        assert values.max() < 1 + 1e-5, name
        counts, _ = np.histogram(values, bins=10, range=(-1e-5, 1 + 1e-5))
        np.testing.assert_allclose(counts / COUNT, 0.1, atol=0.025, err_msg=name)


def test_exogenous_variables_are_uncorrelated(scenes):
    draws = exogenous(scenes)
    for first, second in itertools.combinations(draws, 2):
        correlation = np.corrcoef(draws[first], draws[second])[0, 1]
        assert abs(correlation) < 0.06, (first, second)


def test_hues_cover_the_unit_interval(scenes):
    for hue in (scenes.color, scenes.s_color, scenes.b_color):
        assert 0 <= hue.min() < 0.1
        assert 0.9 < hue.max() <= 1


def test_a_key_gives_the_same_scenes_inside_and_outside_of_jit(scenes):
    again = jax.jit(lvm.sample_scenes, static_argnums=1)(jax.random.key(5), COUNT)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), again, scenes)
    other = lvm.sample_scenes(jax.random.key(6), COUNT)
    for leaf, other_leaf in zip(scenes, other, strict=True):
        assert np.mean(leaf == np.asarray(other_leaf)) < 0.5
