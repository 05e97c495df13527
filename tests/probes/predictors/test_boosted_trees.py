import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

import lvm
from lvm.latents.semantics import solve_semantics
from probes import mlp, r2, ridge
from probes.predictors import boosted_trees
from probes.predictors.boosted_trees import boosting
from tests.optimised import OPTIMISED

ROWS, KEPT, SEMANTICS = 20_480, 6, 10  # rows to fit and to test on; semantics that predict the rest
WORLDS = 5  # per law
BOOSTING = jax.jit(boosting, compiler_options=OPTIMISED)
LAWS = [(dependence, "gaussian") for dependence in lvm.DEPENDENCES]
LAWS += [("nonlinear_scm", noise) for noise in lvm.NOISE_LAWS if noise != "gaussian"]


@pytest.fixture(autouse=True, scope="module")
def all_trees(few_trees):
    """As many trees as outside the tests; `few_trees` takes effect before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boosted_trees, "TREES", few_trees)
        yield


def world_rows(seed, dependence, noise_law):
    """Kept semantics and the rest, of the rows to fit and to test on, in a drawn world."""
    key = jax.random.fold_in(jax.random.key(7), seed)
    key_world, key_fit, key_test, key_kept, _ = jax.random.split(key, 5)
    world = lvm.init_world(key_world, dependence=dependence)
    noise = lambda key: lvm.NOISE_LAWS[noise_law](jax.random.normal(key, (ROWS, SEMANTICS)))
    fit, test = (solve_semantics(world.semantics, noise(k)) for k in (key_fit, key_test))
    kept = np.sort(jax.random.permutation(key_kept, SEMANTICS)[:KEPT])
    rest = np.setdiff1d(np.arange(SEMANTICS), kept)
    return fit[:, kept], fit[:, rest], test[:, kept], test[:, rest]


def scikit_learn_scores(features, targets, queries, truth):
    """R² of every target by scikit-learn's boosted trees with default settings."""
    features, targets, queries = map(np.asarray, (features, targets, queries))
    model = HistGradientBoostingRegressor(random_state=0)
    fits = [model.fit(features, column).predict(queries) for column in targets.T]
    return np.asarray(r2(truth, jnp.asarray(np.stack(fits, axis=1), jnp.float32)))


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids="-".join)
def test_no_score_is_more_than_002_below_scikit_learn(law, key):
    for seed in range(WORLDS):
        *arguments, truth = world_rows(seed, *law)
        expected = scikit_learn_scores(*arguments, truth)
        gaps = np.asarray(r2(truth, boosting(key, *arguments))) - expected
        print(law, seed, "gaps", gaps.round(3), "smallest", gaps.min().round(3))
        assert gaps.min() > -0.02, (law, seed)


def score(probe, features, targets, key):
    """R² on the last of 4000 rows."""
    fit, test = slice(0, 3000), slice(3000, None)
    return r2(targets[test], probe(key, features[fit], targets[fit], features[test]))


@pytest.fixture
def features(key):
    return jax.random.normal(key, (4000, 3))


def test_it_learns_fast_oscillations_that_the_mlp_cannot(features, key):
    features = 4 * features
    targets = jnp.sin(3 * features[:, :1]) + jnp.cos(3 * features[:, 1:2])
    assert score(mlp, features, targets, key) < 0.3
    assert score(BOOSTING, features, targets, key) > 0.8


def test_a_linear_target_scores_as_by_ridge(features, key):
    noise = jax.random.normal(jax.random.fold_in(key, 1), (4000, 1))
    targets = features @ jnp.array([[1.0], [-1.0], [0.3]]) + noise
    by_trees, by_ridge = (score(probe, features, targets, key) for probe in (BOOSTING, ridge))
    np.testing.assert_allclose(by_trees, by_ridge, atol=0.02)


def test_a_smooth_function_of_oblique_directions_scores_as_by_the_mlp(features, key):
    targets = jnp.sin(2 * features.sum(1, keepdims=True))
    by_mlp = score(mlp, features, targets, key)  # which is fitted to the held-out rows too
    assert score(BOOSTING, features, targets, key) > by_mlp - 0.04
