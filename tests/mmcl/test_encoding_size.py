"""Encoding size: planted shared, private, redundant and distorted columns."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.cross_decomposition import CCA

import mmcl
import probes
from mmcl import Modalities
from mmcl.encoding_size import SHARED_CORRELATION, _canonical_map

N = 4000
ESTIMATE = jax.jit(partial(mmcl.estimate_encoding_size, regression=probes.mlp))


@pytest.fixture
def normals(key):
    """Independent standard normal numbers [2, N, 8], to fit and to test on."""
    return np.asarray(jax.random.normal(key, (2, N, 8)))


def estimate(key, views, normals, threshold=SHARED_CORRELATION):
    """Estimate from views, functions of the normals: Modalities of callables."""
    fit, test = (Modalities(views.x(part), views.t(part)) for part in normals)
    return ESTIMATE(key, fit, test, shared_correlation=threshold)


def mixed(*columns):
    """Columns as rows, mixed by an ill-conditioned matrix."""
    rows = np.stack(columns, axis=1)
    mixing = np.random.default_rng(0).normal(size=(rows.shape[1],) * 2)
    return np.float32(rows @ (mixing * 10.0 ** np.linspace(-1, 1, rows.shape[1])))


def test_shared_columns_are_counted_and_private_ones_are_not(key, normals):
    views = Modalities(
        lambda n: mixed(n[:, 0], n[:, 1], n[:, 2], n[:, 3]),
        lambda n: mixed(n[:, 4], n[:, 1], n[:, 0], n[:, 5]),
    )
    size = estimate(key, views, normals)
    assert size.size == 2
    np.testing.assert_array_equal(size.kept, [True, True, False, False])
    np.testing.assert_allclose(size.correlations, [1, 1, 0, 0], atol=0.06)


def test_canonical_columns_are_those_of_scikit_learn(key, normals):
    """Columns of different noise have correlations that CCA finds as well."""

    def view(rows, noise):
        return mixed(*(rows[:, i] + scale * noise[:, i] for i, scale in enumerate((0.2, 0.5, 1))))

    z = Modalities(view(normals[0], normals[0][:, 3:6]), view(normals[0], normals[1]))
    canonical = jax.jit(lambda z: _canonical_map(z)(z))(z)
    cca = CCA(n_components=3, max_iter=5000).fit(*z)
    for ours, theirs in zip(canonical, cca.transform(*z), strict=True):
        np.testing.assert_allclose(np.cov(ours.T), np.eye(3), atol=1e-2)
        correlations = np.abs(np.corrcoef(ours.T, theirs.T)[:3, 3:])
        np.testing.assert_allclose(correlations, np.eye(3), atol=0.02)


@pytest.mark.parametrize(("threshold", "count"), [(0.95, 1), (0.6, 2)])
def test_a_distorted_column_is_judged_by_the_threshold(threshold, count, key, normals):
    distorted = lambda n: n[:, 1] + n[:, 2]  # correlation 0.71
    views = Modalities(lambda n: mixed(n[:, 0], n[:, 1]), lambda n: mixed(n[:, 0], distorted(n)))
    if threshold < 0.95:
        size = estimate(key, views, normals, threshold)
        np.testing.assert_allclose(size.correlations, [1, 0.5**0.5], atol=0.03)
        assert (size.correlations >= threshold).sum() == count
    else:
        assert estimate(key, views, normals).size == count


def test_functions_of_other_columns_are_redundant(key, normals):
    """Both modalities see s1 and s2 beside functions of them, with a little noise of their own."""

    def view(noise):
        def columns(n):
            a, b, e = n[:, 0], n[:, 1], 0.15 * n[:, noise : noise + 2]
            return mixed(a, b, a * b + e[:, 0], b**2 + e[:, 1])

        return columns

    size = estimate(key, Modalities(view(2), view(4)), normals)
    assert (size.correlations > 0.95).all()
    assert size.size == size.kept.sum() == 2


@pytest.mark.parametrize(("rest", "count"), [(0.4, 2), (0.0, 1)])
def test_a_predictable_column_counts_if_its_rest_is_shared(rest, count, key, normals):
    """s1² - 1 + rest · s2: the first column predicts most of it; noise differs by modality."""

    def view(noise):
        weak = lambda n: n[:, 0] ** 2 - 1 + rest * n[:, 1] + 0.05 * n[:, noise]
        return lambda n: np.stack([n[:, 0] + 0.02 * n[:, noise + 1], weak(n)], axis=1)

    size = estimate(key, Modalities(view(2), view(4)), normals)
    assert (size.correlations > 0.95).all()
    assert size.size == count


def test_at_least_one_column_is_counted(key, normals):
    size = estimate(key, Modalities(lambda n: n[:, :4], lambda n: n[:, 4:]), normals)
    assert size.size == 1


def test_a_column_of_zeros_is_not_counted_and_nan_changes_no_other_lane(key, normals):
    fit, test = (Modalities(*[part[:, :3] * np.float32([1, 1, 0])] * 2) for part in normals)
    one = lambda fit, test: mmcl.estimate_encoding_size(key, fit, test, regression=probes.ridge)
    alone = jax.jit(one)(fit, test)
    np.testing.assert_array_equal(alone.kept, [True, True, False])
    damaged = jax.tree.map(lambda rows: np.stack([rows, rows * np.nan]), (fit, test))
    both = jax.jit(jax.vmap(one))(*damaged)
    np.testing.assert_array_equal(both.kept[0], alone.kept)
    np.testing.assert_allclose(both.correlations[0], alone.correlations, atol=1e-5)
    assert both.size.tolist() == [2, 1] and both.size.dtype == jnp.int32


def test_columns_of_zeros_change_no_estimate(key, normals):
    views = Modalities(lambda n: mixed(n[:, 0], n[:, 1]), lambda n: mixed(n[:, 0], n[:, 2]))
    wide = Modalities(*(lambda n, view=view: np.pad(view(n), ((0, 0), (0, 2))) for view in views))
    narrow = estimate(key, views, normals)
    padded = estimate(key, wide, normals)
    assert padded.size == narrow.size == 1
    np.testing.assert_allclose(padded.correlations[:2], narrow.correlations, atol=1e-4)


@pytest.mark.parametrize("value", [75.0, -0.1, float("nan")])
def test_a_correlation_out_of_range_is_refused(value, key):
    z = Modalities(jnp.zeros((8, 3)), jnp.zeros((8, 3)))
    with pytest.raises(ValueError, match=f"shared_correlation is {value}: allowed is 0 to 1"):
        mmcl.estimate_encoding_size(key, z, z, regression=probes.ridge, shared_correlation=value)


@pytest.mark.parametrize("name", ["fit.t", "test.x", "test.t"])
def test_representations_of_other_shapes_are_refused(name, key):
    parts = {part: jnp.zeros((8, 3)) for part in ("fit.x", "fit.t", "test.x", "test.t")}
    parts[name] = jnp.zeros((8, 4))
    z = Modalities(parts["fit.x"], parts["fit.t"]), Modalities(parts["test.x"], parts["test.t"])
    with pytest.raises(ValueError, match=rf"shape of {name} is \[8, 4\]: allowed is \[8, 3\]"):
        mmcl.estimate_encoding_size(key, *z, regression=probes.ridge)
