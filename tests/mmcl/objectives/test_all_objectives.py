"""The objectives beside the paper's, against float64, and properties common to all objectives."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.spatial.distance import cdist, pdist
from scipy.special import logsumexp

import mmcl
from mmcl.modalities import Modalities
from mmcl.objectives.alignment_entropy import NORM_PENALTY
from mmcl.objectives.registry import OBJECTIVES
from mmcl.objectives.similarities import SIMILARITIES
from tests.mmcl.test_training import RECIPE, hyper, sample, trained

N, D = 32, 3
ALTERNATIVES = [name for name in OBJECTIVES if name != "alignment_max_entropy"]
IN_UNITS_OF_TEMPERATURE = [  # objectives of distances in units of √temperature
    "symmetric_infonce",
    "alignment_max_neighbour_entropy",
    "alignment_max_gaussian_entropy",
    "alignment_uniformity",
    "decoupled_infonce",
    "decoupled_infonce_intra_modal",
    "siglip",
    "siglip_learned",
    "vicreg",
    "vicreg_released",
]


@pytest.fixture
def z(key):
    x, t = jax.random.normal(key, (2, N, D))
    return Modalities(x, 0.8 * x + 0.3 * t)


COMPILED = {name: jax.jit(jax.value_and_grad(OBJECTIVES[name].function)) for name in ALTERNATIVES}


def value_and_gradient(name, z, where=None, temperature=1.0):
    where = jnp.ones(len(z.x), bool) if where is None else where
    return COMPILED[name](z, jnp.float32(temperature), where=where)


def value(name, z, where=None, temperature=1.0):
    return value_and_gradient(name, z, where, temperature)[0]


@pytest.fixture(params=ALTERNATIVES)
def objective(request):
    return request.param


def as64(z):
    return Modalities(np.asarray(z.x, np.float64), np.asarray(z.t, np.float64))


def softplus(values):
    return np.logaddexp(0, values)


def alignment(z):
    return ((z.x - z.t) ** 2).sum(1).mean()


def norm(z):
    return NORM_PENALTY * sum(((rows - rows.mean(0)) ** 2).sum(1).mean() for rows in z) / 2


def neighbour_entropy(rows):
    third = np.sort(cdist(rows, rows), 1)[:, 3]  # the nearest is the point itself
    return rows.shape[1] * np.log(np.sqrt(third**2 + 1e-4)).mean()


def gaussian_entropy(rows):
    return np.linalg.slogdet(np.cov(rows.T) + 1e-4 * np.eye(rows.shape[1]))[1] / 2


def max_neighbour_entropy64(z):
    return alignment(z) + norm(z) - (neighbour_entropy(z.x) + neighbour_entropy(z.t)) / 2


def max_gaussian_entropy64(z):
    return alignment(z) + norm(z) - (gaussian_entropy(z.x) + gaussian_entropy(z.t)) / 2


def uniformity64(z):
    return alignment(z) + sum(np.log(np.exp(-(cdist(r, r) ** 2)).mean()) for r in z) / 2


def decoupled64(z, similarity=lambda z: -(cdist(z.x, z.t) ** 2)):
    s = similarity(z)
    others = ~np.eye(len(s), dtype=bool)
    of_rows = [np.log(np.exp(s[i][others[i]]).mean()) for i in range(len(s))]
    of_columns = [np.log(np.exp(s[:, i][others[i]]).mean()) for i in range(len(s))]
    return np.mean(np.add(of_rows, of_columns) / 2 - np.diagonal(s))


def siglip64(z, similarity=lambda z: -(cdist(z.x, z.t) ** 2)):
    s = similarity(z)
    sign = 1 - 2 * np.eye(len(s))
    loss = lambda bias: softplus(sign * (s + bias)).sum() / len(s)
    return minimize_scalar(loss, bracket=(-5, 5), tol=1e-10).fun


def vicreg64(z):
    columns = z.x.shape[1]
    loss = 25 * alignment(z) / columns
    for rows in z:
        cov = np.cov(rows.T)
        loss += 25 * np.maximum(0, 1 - np.sqrt(np.diagonal(cov) + 1e-4)).mean()
        loss += (cov[~np.eye(columns, dtype=bool)] ** 2).sum() / columns
    return loss


def vicreg_released64(z):
    """The parts of the released code: mse, half of a hinge per modality, sums of squares / d."""
    x, t = z
    loss = 25 * ((x - t) ** 2).mean()
    hinges = [np.maximum(0, 1 - np.sqrt(rows.var(0, ddof=1) + 1e-4)).mean() for rows in z]
    loss += 25 * (hinges[0] / 2 + hinges[1] / 2)
    for rows in z:
        cov = (rows - rows.mean(0)).T @ (rows - rows.mean(0)) / (len(rows) - 1)
        loss += (cov**2).sum() / cov.shape[0] - (np.diagonal(cov) ** 2).sum() / cov.shape[0]
    return loss


def siglip_learned64(z, similarity=lambda z: -(cdist(z.x, z.t) ** 2)):
    """At the initial parameters, that is, with a bias of -10."""
    s = similarity(z)
    sign = 1 - 2 * np.eye(len(s))
    return softplus(sign * (s - 10)).sum() / len(s)


def unit64(rows):
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def sphere_uniformity64(z, kernel_scale=2.0, weights=(1.0, 1.0)):
    u = Modalities(unit64(z.x), unit64(z.t))
    uniformity = [np.log(np.exp(-kernel_scale * pdist(rows) ** 2).mean()) for rows in u]
    return weights[0] * alignment(u) + weights[1] * np.mean(uniformity)


def infonce_intra_modal64(z, temperature=1.0):
    """The cross entropy of a 2n x 2n matrix of logits without its diagonal."""
    rows = unit64(np.concatenate(z))
    logits = rows @ rows.T / temperature
    np.fill_diagonal(logits, -np.inf)
    count = len(z.x)
    positives = np.concatenate([np.diagonal(logits, count), np.diagonal(logits, -count)])
    return (logsumexp(logits, 1) - positives).mean()


def decoupled_intra_modal64(z, of_pair=lambda a, b: -np.square(a - b).sum()):
    """Loops over anchors, without matrix products."""
    losses = []
    for anchors, others in (z, z[::-1]):
        for i, anchor in enumerate(anchors):
            rest = [j for j in range(len(anchors)) if j != i]
            negatives = [of_pair(anchor, rows[j]) for j in rest for rows in (anchors, others)]
            mean = logsumexp(negatives) - np.log(len(negatives))
            losses.append(mean - of_pair(anchor, others[i]))
    return np.mean(losses)


def barlow_twins64(z):
    columns = z.x.shape[1]
    cross = np.corrcoef(z.x.T, z.t.T)[:columns, columns:]
    others = cross[~np.eye(columns, dtype=bool)]
    return ((1 - np.diagonal(cross)) ** 2).sum() + 5e-3 * (others**2).sum()


def regression64(z):
    columns = z.x.shape[1]
    both = np.corrcoef(z.x.T, z.t.T)
    x, t = both[:columns, :columns], both[columns:, columns:]
    cross, ridge = both[:columns, columns:], 1e-4 * np.eye(columns)
    explained = np.linalg.inv(x + ridge) @ cross @ np.linalg.inv(t + ridge) @ cross.T
    return columns - np.trace(explained)


REFERENCES = {
    "alignment_max_neighbour_entropy": max_neighbour_entropy64,
    "alignment_max_gaussian_entropy": max_gaussian_entropy64,
    "alignment_uniformity": uniformity64,
    "decoupled_infonce": decoupled64,
    "siglip": siglip64,
    "vicreg": vicreg64,
    "vicreg_released": vicreg_released64,
    "alignment_uniformity_on_sphere": sphere_uniformity64,
    "infonce_intra_modal": infonce_intra_modal64,
    "decoupled_infonce_intra_modal": decoupled_intra_modal64,
    "siglip_learned": siglip_learned64,
    "barlow_twins": barlow_twins64,
    "whitened_regression": regression64,
}


@pytest.mark.parametrize("name", REFERENCES)
def test_against_float64(z, name):
    measured = value(name, z)
    np.testing.assert_allclose(measured, REFERENCES[name](as64(z)), rtol=1e-4)


@pytest.mark.parametrize("reference", [decoupled64, siglip64])
@pytest.mark.parametrize("similarity", ["dot", "cosine"])
def test_contrastive_objectives_with_other_similarities_against_float64(z, reference, similarity):
    unit = lambda rows: rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = lambda z: unit(z.x) @ unit(z.t).T
    inner = {"dot": lambda z: z.x @ z.t.T, "cosine": cosines}[similarity]
    name = reference.__name__.removesuffix("64").replace("decoupled", "decoupled_infonce")
    measured = OBJECTIVES[name].function(z, 0.5, SIMILARITIES[similarity])
    expected = reference(as64(z), lambda z: inner(z) / 0.5)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_uniformity_has_a_kernel_scale_and_weights_of_both_terms(z):
    function = OBJECTIVES["alignment_uniformity_on_sphere"].function
    measured = function(z, 0.5, alignment_weight=3.0, uniformity_weight=0.25)
    expected = sphere_uniformity64(as64(z), 4.0, (3.0, 0.25))
    np.testing.assert_allclose(measured, expected, rtol=1e-5)


def test_weights_of_the_recipe_reach_the_objective(key):
    """One step without uniformity has the loss of the alignment alone."""
    recipe = mmcl.Recipe(**{**RECIPE.__dict__, "objective": "alignment_uniformity_on_sphere"})
    settings = hyper(4)
    batch = sample(key, 64)
    state = mmcl.init(key, batch, recipe=recipe, hyper=settings)
    u = mmcl.encode(state.params, state.stats, batch, recipe=recipe, hyper=settings)
    u = Modalities(unit64(np.asarray(u.x)), unit64(np.asarray(u.t)))
    only_alignment = replace(recipe, alignment_weight=2.0, uniformity_weight=0.0)
    _, metrics = mmcl.step(state, batch, recipe=only_alignment, hyper=settings, done=0)
    np.testing.assert_allclose(metrics.loss, 2 * alignment(u), rtol=1e-4)


def test_the_sphere_objective_does_not_depend_on_norms(z):
    longer = Modalities(z.x * jnp.arange(1.0, N + 1)[:, None], 7 * z.t)
    for name in ("alignment_uniformity_on_sphere", "infonce_intra_modal"):
        np.testing.assert_allclose(value(name, longer), value(name, z), rtol=1e-5)


@pytest.mark.parametrize("temperature", [0.05, 1.0, 3.0])
def test_intra_modal_objectives_at_other_temperatures_against_float64(z, temperature):
    measured = value("infonce_intra_modal", z, temperature=temperature)
    expected = infonce_intra_modal64(as64(z), temperature)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)
    decoupled = OBJECTIVES["decoupled_infonce_intra_modal"].function
    measured = decoupled(z, temperature, SIMILARITIES["cosine"])
    cosines = lambda a, b: a @ b / np.linalg.norm(a) / np.linalg.norm(b) / temperature
    np.testing.assert_allclose(measured, decoupled_intra_modal64(as64(z), cosines), rtol=1e-5)


def test_intra_modal_negatives_of_equal_representations_have_a_known_loss():
    """All 2n - 1 candidates are equally similar: log(2n - 1), and 0 without the positive."""
    z = Modalities(*jnp.ones((2, N, D)))
    np.testing.assert_allclose(value("infonce_intra_modal", z), np.log(2 * N - 1), rtol=1e-6)
    np.testing.assert_allclose(value("decoupled_infonce_intra_modal", z), 0, atol=1e-6)


def test_released_vicreg_halves_the_variance_term_only(z):
    """Columns of variance above 1 have no variance term; near 0 it is 25 and 2 · 25."""
    wide = jax.tree.map(lambda leaf: 100 * leaf, z)
    np.testing.assert_allclose(value("vicreg_released", wide), value("vicreg", wide), rtol=1e-6)
    narrow = jax.tree.map(lambda leaf: 1e-4 * leaf, z)
    difference = value("vicreg", narrow) - value("vicreg_released", narrow)
    np.testing.assert_allclose(difference, 25 * (1 - 0.01), rtol=1e-4)


@pytest.mark.parametrize("name", IN_UNITS_OF_TEMPERATURE)
def test_temperature_is_the_unit_of_squared_distances(z, name):
    scaled = jax.tree.map(lambda leaf: 3 * leaf, z)
    np.testing.assert_allclose(value(name, scaled, temperature=9.0), value(name, z), rtol=1e-4)


@pytest.mark.parametrize("spread", [0.01, 1.0, 3.0, 10.0, 1000.0])
def test_siglip_finds_its_bias_at_any_distance_of_pairs(z, spread):
    far = Modalities(spread * z.x, spread * z.x + 0.3 * z.t)
    np.testing.assert_allclose(value("siglip", far), siglip64(as64(far)), rtol=1e-3, atol=1e-5)


def test_barlow_twins_and_regression_are_invariant_to_scale(z):
    stretched = Modalities(100 * z.x + 5, z.t / 10)
    for name in ("barlow_twins", "whitened_regression"):
        np.testing.assert_allclose(value(name, stretched), value(name, z), rtol=1e-3)


def test_regression_is_invariant_to_a_linear_map(z, key):
    mapped = Modalities(z.x @ (jnp.eye(D) + 0.3 * jax.random.normal(key, (D, D))), z.t)
    measured, expected = (value("whitened_regression", pairs) for pairs in (mapped, z))
    np.testing.assert_allclose(measured, expected, rtol=1e-2)


def test_masked_pairs_change_nothing_whatever_their_values(z, objective):
    where = jnp.arange(N) % 2 == 0
    small = jax.tree.map(lambda leaf: leaf[::2], z)
    spoilt = jax.tree.map(lambda leaf: jnp.where(where[:, None], leaf, 1e6), z)
    expected, grads_small = value_and_gradient(objective, small)
    for pairs in (z, spoilt):
        measured, grads = value_and_gradient(objective, pairs, where)
        np.testing.assert_allclose(measured, expected, rtol=1e-5)
        for a, b in zip(grads, grads_small, strict=True):
            np.testing.assert_allclose(a[::2], b, rtol=1e-3, atol=1e-5)
            np.testing.assert_array_equal(a[1::2], 0)


def test_an_empty_mask_gives_zero_and_a_zero_gradient(z, objective):
    measured, grads = value_and_gradient(objective, z, jnp.zeros(N, bool))
    assert measured == 0
    jax.tree.map(lambda leaf: np.testing.assert_array_equal(leaf, 0), grads)


def test_a_zero_column_changes_nothing_and_has_no_gradient(z, objective):
    wide = Modalities(*(jnp.pad(leaf, ((0, 0), (0, 2))) for leaf in z))
    expected, grads = value_and_gradient(objective, z)
    measured, grads_wide = value_and_gradient(objective, wide)
    np.testing.assert_allclose(measured, expected, rtol=1e-5)
    for a, b in zip(grads_wide, grads, strict=True):
        np.testing.assert_allclose(a[:, :D], b, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(a[:, D:], 0, atol=1e-6)


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_few_pairs_are_finite(z, objective, pairs):
    measured, grads = value_and_gradient(objective, z, jnp.arange(N) < pairs)
    assert jnp.isfinite(measured)
    assert all(jnp.isfinite(leaf).all() for leaf in grads)


@pytest.mark.parametrize("point", [0.0, 0.3, 1000.0])
def test_coinciding_points_have_finite_gradients(objective, point):
    coinciding = Modalities(*(jnp.full((N, D), point),) * 2)
    measured, grads = value_and_gradient(objective, coinciding)
    assert jnp.isfinite(measured)
    assert all(jnp.isfinite(leaf).all() for leaf in grads)


@pytest.mark.parametrize(
    "entropy", [name for name in IN_UNITS_OF_TEMPERATURE if name.startswith("alignment")]
)
def test_an_entropy_is_as_exact_far_from_the_origin(z, entropy):
    far = Modalities(z.x + 1000, z.t + 1000)
    near = Modalities(far.x - 1000, far.t - 1000)  # with the rounding of `far`
    expected = value_and_gradient(entropy, near, temperature=0.7)
    measured = value_and_gradient(entropy, far, temperature=0.7)
    close = lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    jax.tree.map(close, measured, expected)


def test_order_of_pairs_and_of_columns_does_not_matter(z, objective):
    expected = value(objective, z)
    for reverse in (lambda leaf: leaf[::-1], lambda leaf: leaf[:, ::-1]):
        measured = value(objective, jax.tree.map(reverse, z))
        np.testing.assert_allclose(measured, expected, rtol=1e-4)


def test_aligned_and_spread_representations_are_best(key, objective):
    """Better than wrong pairs, noise, rows close to a point or a line, and a repeated column."""
    x, noise = jax.random.normal(key, (2, N, D))
    best = value(objective, Modalities(x, x))
    line = x.at[:, 1:].set(0.01 * noise[:, 1:])
    repeated = jnp.repeat(x[:, :1], D, axis=1)
    worse = (x, x[::-1]), (x, x + noise), (0.01 * noise, 0.01 * x), (line, line[::-1])
    for pair in (*worse, (repeated, repeated)):
        assert value(objective, Modalities(*pair)) > best


@pytest.mark.parametrize("name", REFERENCES)
def test_gradients_against_differences_of_float64(z, name):
    """Along one direction; also right where `siglip` and neighbours stop gradients."""
    direction = jax.tree.map(lambda leaf: np.cos(7 * leaf), as64(z))
    shifted = lambda step: jax.tree.map(lambda a, b: a + step * b, as64(z), direction)
    grads = value_and_gradient(name, z)[1]
    slope = sum(np.vdot(a, b) for a, b in zip(grads, direction, strict=True))
    difference = (REFERENCES[name](shifted(1e-5)) - REFERENCES[name](shifted(-1e-5))) / 2e-5
    np.testing.assert_allclose(slope, difference, rtol=1e-3, atol=1e-4)


def test_jit_vmap_and_grad_agree(z, objective):
    stacked = jax.tree.map(lambda leaf: jnp.stack([leaf, 2 * leaf]), z)
    function = lambda z: OBJECTIVES[objective].function(z, 1.0)
    values, grads = jax.jit(jax.vmap(jax.value_and_grad(function)))(stacked)
    for index, scale in enumerate((1, 2)):
        scaled = jax.tree.map(lambda leaf, scale=scale: scale * leaf, z)
        expected, single = value_and_gradient(objective, scaled)
        np.testing.assert_allclose(values[index], expected, rtol=1e-5)
        np.testing.assert_allclose(grads.x[index], single.x, rtol=1e-3, atol=1e-5)


def test_every_objective_trains(key, objective):
    """A few steps, with a mask that selects two of four columns."""
    changes = {"objective": objective, "optimizer": "adam", "widths": (8,), "group": 32}
    recipe = mmcl.Recipe(**{**RECIPE.__dict__, **changes})
    state, metrics = trained(key, recipe, hyper(), 40)
    assert state.failed_at == -1
    assert metrics.loss[-10:].mean() < metrics.loss[:10].mean()


@pytest.mark.parametrize(
    ("objective", "field", "value", "message"),
    [
        ("alignment_max_neighbour_entropy", "group", 2, "recipe.group is 2: allowed is 4 or more"),
        ("alignment_max_gaussian_entropy", "group", 4, "recipe.group is 4: allowed is 5 or more"),
        ("whitened_regression", "group", 4, "recipe.group is 4: allowed is 6 or more for whit"),
        ("barlow_twins", "group", 1, "recipe.group is 1: allowed is 2 or more"),
        ("vicreg", "similarity", "cosine", "recipe.similarity is 'cosine': allowed is negative"),
        ("siglip", "negatives", "second_batch", "recipe.negatives is .* allowed is in_batch for s"),
        (
            "vicreg",
            "uniformity_weight",
            2.0,
            "recipe.uniformity_weight is 2.0: allowed is 1 for vic",
        ),
        (
            "vicreg",
            "alignment_weight",
            -1.0,
            "recipe.alignment_weight is -1.0: allowed is 0 or more",
        ),
        ("infonce_intra_modal", "similarity", "dot", "recipe.similarity is 'dot': allowed is nega"),
        ("siglip", "refine_from", 5, "recipe.refine_from is 5: allowed is None for siglip"),
    ],
)
def test_recipes_that_an_objective_does_not_allow(objective, field, value, message):
    with pytest.raises(ValueError, match=message):
        mmcl.Recipe(**{**RECIPE.__dict__, "objective": objective, field: value})
