"""Selection of columns: planted shared, private, redundant and distorted columns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import mmcl
import probes
from mmcl import Modalities
from mmcl.selection import apply_selection, no_selection, select_columns

N = 4000


@pytest.fixture
def normals(key):
    """Independent standard normal numbers [2, N, 8], to fit and to test on."""
    return jax.random.normal(key, (2, N, 8))


def select(key, views, normals, threshold=0.95):
    """Selection of columns from views, functions of the normals: Modalities of callables."""
    fit, test = (Modalities(views.x(part), views.t(part)) for part in normals)
    selection = select_columns(key, fit, test, threshold=threshold, regression=probes.mlp)
    return selection, apply_selection(selection, test)


def mixed(*columns):
    """Columns as rows, mixed by an ill-conditioned matrix."""
    rows = jnp.stack(columns, axis=1)
    mixing = jnp.asarray(np.random.default_rng(0).normal(size=(rows.shape[1],) * 2), jnp.float32)
    return rows @ (mixing * 10.0 ** jnp.linspace(-1, 1, rows.shape[1])[None])


def test_shared_columns_are_kept_and_private_ones_are_dropped(key, normals):
    views = Modalities(
        lambda n: mixed(n[:, 0], n[:, 1], n[:, 2], n[:, 3]),
        lambda n: mixed(n[:, 4], n[:, 1], n[:, 0], n[:, 5]),
    )
    selection, z = select(key, views, normals)
    np.testing.assert_array_equal(selection.kept, [True, True, False, False])
    np.testing.assert_allclose(selection.correlations, [1, 1, 0, 0], atol=0.06)
    np.testing.assert_array_equal(z.x[:, 2:], 0)
    np.testing.assert_allclose(z.x[:, :2], z.t[:, :2], atol=1e-2)
    shared = normals[1][:, :2]
    fitted = probes.ridge(key, z.x, shared, z.x)
    np.testing.assert_allclose(probes.r2(shared, fitted), 1, atol=1e-3)


@pytest.mark.parametrize(("threshold", "count"), [(0.95, 1), (0.6, 2)])
def test_a_distorted_column_is_dropped_by_the_threshold(threshold, count, key, normals):
    distorted = lambda n: n[:, 1] + n[:, 2]  # correlation 0.71
    views = Modalities(lambda n: mixed(n[:, 0], n[:, 1]), lambda n: mixed(n[:, 0], distorted(n)))
    selection, _ = select(key, views, normals, threshold)
    assert selection.kept.sum() == count
    np.testing.assert_allclose(selection.correlations, [1, 0.5**0.5], atol=0.03)


def test_functions_of_other_columns_are_redundant(key, normals):
    """Both modalities see s1 and s2 beside functions of them, with a little noise of their own."""

    def view(noise):
        def columns(n):
            a, b, e = n[:, 0], n[:, 1], 0.15 * n[:, noise : noise + 2]
            return mixed(a, b, a * b + e[:, 0], b**2 + e[:, 1])

        return columns

    selection, z = select(key, Modalities(view(2), view(4)), normals)
    assert (selection.correlations > 0.95).all()
    assert selection.kept.sum() == 2
    fitted = probes.mlp(key, z.x, normals[1][:, :2], z.x)
    assert (probes.r2(normals[1][:, :2], fitted) > 0.95).all()


@pytest.mark.parametrize(("rest", "count"), [(0.4, 2), (0.0, 1)])
def test_a_predictable_column_is_kept_if_its_rest_is_shared(rest, count, key, normals):
    """s1² - 1 + rest · s2: the first column predicts most of it; noise differs by modality."""

    def view(noise):
        weak = lambda n: n[:, 0] ** 2 - 1 + rest * n[:, 1] + 0.05 * n[:, noise]
        return lambda n: jnp.stack([n[:, 0] + 0.02 * n[:, noise + 1], weak(n)], axis=1)

    selection, _ = select(key, Modalities(view(2), view(4)), normals)
    assert (selection.correlations > 0.95).all()
    assert selection.kept.sum() == count


def test_at_least_one_column_is_kept(key, normals):
    views = Modalities(lambda n: n[:, :3], lambda n: n[:, 3:6])
    selection, z = select(key, views, normals)
    np.testing.assert_array_equal(selection.kept, [True, False, False])
    assert np.isfinite(z.x).all()


def test_a_column_of_zeros_is_dropped_and_nan_changes_no_other_lane(key, normals):
    views = Modalities(lambda n: n[:, :3].at[:, 2].set(0.0), lambda n: n[:, :3].at[:, 2].set(0.0))
    fit, test = (Modalities(views.x(part), views.t(part)) for part in normals)
    one = lambda fit, test: select_columns(key, fit, test, threshold=0.95, regression=probes.ridge)
    alone = jax.jit(one)(fit, test)
    np.testing.assert_array_equal(alone.kept, [True, True, False])
    damaged = jax.tree.map(
        lambda rows: jnp.stack([rows, jnp.full_like(rows, jnp.nan)]), (fit, test)
    )
    both = jax.vmap(one)(*damaged)
    np.testing.assert_array_equal(both.kept[0], alone.kept)
    np.testing.assert_allclose(both.correlations[0], alone.correlations, atol=1e-5)


def test_no_selection_changes_nothing(normals):
    z = Modalities(normals[0], None)
    applied = apply_selection(no_selection(jnp.ones(8, bool)), z)
    np.testing.assert_array_equal(applied.x, z.x)
    assert applied.t is None


RECIPE = mmcl.Recipe(outputs=4, widths=(8,), batch=64, group=32, refine_from=2, select_from=4)
HYPER = mmcl.Hyperparameters()


def observations(key, count=64):
    """Pairs that share two of four coordinates."""
    shared, x, t = jnp.split(jax.random.normal(key, (count, 6)), 3, axis=1)
    return Modalities(jnp.concatenate([shared, x], 1), jnp.concatenate([t, shared], 1))


def test_training_continues_in_the_selected_columns(key):
    state = mmcl.init(key, observations(key), recipe=RECIPE, hyper=HYPER)
    sample = observations
    state, _ = mmcl.train(key, state, sample, recipe=RECIPE, hyper=HYPER, steps=4)
    encode = lambda state: mmcl.encode(
        state.params, state.stats, observations(key), recipe=RECIPE, hyper=HYPER
    )
    assert (encode(state).x != 0).all()
    pairs = [observations(k, 500) for k in jax.random.split(key)]
    state = mmcl.select_columns(
        key, state, *pairs, recipe=RECIPE, hyper=HYPER, regression=probes.ridge
    )
    kept = mmcl.selected_columns(state.stats, recipe=RECIPE, hyper=HYPER)
    assert 0 < kept.sum() < 4
    later, metrics = mmcl.train(key, state, sample, recipe=RECIPE, hyper=HYPER, steps=4, done=4)
    assert np.isfinite(metrics.loss).all()
    for rows in (*encode(state), *encode(later)):
        np.testing.assert_array_equal((rows != 0).any(0), kept)
    assert (encode(later).x != encode(state).x).any()


@pytest.mark.parametrize("mask", [[True, True, False, False], [False, False, True, True]])
def test_no_more_columns_are_selected_than_the_dimension_mask_has(mask, key):
    hyper = HYPER._replace(dimensions=jnp.array(mask))
    state = mmcl.init(key, observations(key), recipe=RECIPE, hyper=hyper)
    pairs = [observations(k, 500) for k in jax.random.split(key)]
    state = mmcl.select_columns(
        key, state, *pairs, recipe=RECIPE, hyper=hyper, regression=probes.ridge
    )
    kept = mmcl.selected_columns(state.stats, recipe=RECIPE, hyper=hyper)
    assert 1 <= kept.sum() <= 2
    z = mmcl.encode(state.params, state.stats, observations(key), recipe=RECIPE, hyper=hyper)
    np.testing.assert_array_equal((z.x != 0).any(0), kept)


def test_a_second_selection_gives_the_same_columns(key):
    state = mmcl.init(key, observations(key), recipe=RECIPE, hyper=HYPER)
    pairs = [observations(k, 500) for k in jax.random.split(key)]
    again = lambda state: mmcl.select_columns(
        key, state, *pairs, recipe=RECIPE, hyper=HYPER, regression=probes.ridge
    )
    jax.tree.map(np.testing.assert_array_equal, again(again(state)), again(state))
    assert all(part.dtype != np.float64 for part in jax.tree.leaves(again(state)))


def test_a_masked_column_does_not_change_the_scale(key, normals):
    views = Modalities(lambda n: n[:, :2] * 3, lambda n: n[:, :2] * 3)
    wide = Modalities(*(lambda n, view=view: jnp.pad(view(n), ((0, 0), (0, 3))) for view in views))
    _, z = select(key, views, normals)
    _, padded = select(key, wide, normals)
    total = lambda rows: jnp.var(rows, axis=0).sum()  # columns are rotated
    np.testing.assert_allclose(total(z.x), 18, rtol=0.1)
    np.testing.assert_allclose(total(padded.x), total(z.x), rtol=1e-3)


def test_a_recipe_without_selection_has_the_same_state_and_refuses_one(key):
    recipe = mmcl.Recipe(outputs=4, widths=(8,), batch=64, group=32)
    state = mmcl.init(key, observations(key), recipe=recipe, hyper=HYPER)
    assert isinstance(state.stats, Modalities)
    with pytest.raises(ValueError, match="recipe.select_from is None"):
        mmcl.select_columns(
            key,
            state,
            *[observations(key)] * 2,
            recipe=recipe,
            hyper=HYPER,
            regression=probes.ridge,
        )
    with pytest.raises(ValueError, match="output_space is 'cube': allowed is 'free'"):
        mmcl.Recipe(outputs=4, output_space="cube", select_from=3)
    for select_from, refine_from in ((0, None), (-3, None), (3, 4)):
        with pytest.raises(ValueError, match=f"select_from is {select_from}: allowed is . or more"):
            mmcl.Recipe(outputs=4, select_from=select_from, refine_from=refine_from)
