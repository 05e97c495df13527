from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes.pair_geometry import SIMILARITIES
from probes.retrieval import COUNTS, TIED, pair_scores, recall, recall_of_groups

SIMILARITY = {
    "negative_squared_distance": lambda a, b: -((a[:, None] - b[None]) ** 2).sum(2),
    "cosine": lambda a, b: (a @ b.T) / np.outer(*(np.linalg.norm(c, axis=1) for c in (a, b))),
    "dot": lambda a, b: a @ b.T,
}


def brute_force(queries, gallery, similarity, counts=COUNTS):
    """Recall in float64 by sorting, the mean over all orders of tied rows."""
    scores = SIMILARITY[similarity](*(np.asarray(rows, np.float64) for rows in (queries, gallery)))
    found = np.zeros(len(counts))
    for index, row in enumerate(np.round(scores, 9)):
        ranks = np.flatnonzero(np.sort(row)[::-1] == row[index])  # where a tied row can come
        found += [(ranks < count).mean() for count in counts]
    return found / len(scores)


@pytest.fixture
def pairs(key):
    """Representations of 200 pairs, between chance and perfect."""
    key_x, key_t = jax.random.split(key)
    x = jax.random.normal(key_x, (200, 3))
    return x, x + 0.4 * jax.random.normal(key_t, x.shape) + 0.2


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("reverse", [False, True])
def test_recall_agrees_with_brute_force(similarity, reverse, pairs):
    queries, gallery = reversed(pairs) if reverse else pairs
    measured = recall(queries, gallery, similarity)
    assert 0.02 < measured[0] < measured[1] < measured[2] < 1
    np.testing.assert_allclose(measured, brute_force(queries, gallery, similarity), atol=1e-6)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_ties_agree_with_brute_force(similarity, key):
    """Rows of a small lattice: many queries have several rows at the distance of the partner."""
    queries, gallery = jax.random.randint(key, (2, 60, 2), 1, 4).astype(jnp.float32)
    expected = brute_force(queries, gallery, similarity)
    np.testing.assert_allclose(recall(queries, gallery, similarity), expected, atol=1e-6)


def test_a_tie_is_the_mean_over_all_orders():
    """Three equal captions: every order of them, each with the partner at another rank."""
    images, texts = jnp.eye(4), jnp.array([[1.0, 0, 0, 0]] * 3 + [[0, 0, 0, 1.0]])
    ranks = [order.index(0) for order in permutations(range(3))]
    of_first = [np.mean([rank < count for rank in ranks]) for count in (1, 2, 3)]
    measured = recall(images[:1].repeat(4, 0), texts, counts=(1, 2, 3))  # the fourth partner is far
    np.testing.assert_allclose(measured, 0.75 * np.array(of_first), rtol=1e-6)


def test_representations_of_groups_have_the_recall_of_groups(key):
    groups = jax.random.randint(key, (120, 2), 0, 4)
    rows = jnp.concatenate([jax.nn.one_hot(groups[:, 0], 4), jax.nn.one_hot(groups[:, 1], 4)], 1)
    _, sizes = np.unique(np.asarray(groups), axis=0, return_counts=True)
    expected = [(sizes * np.minimum(1, count / sizes)).sum() / 120 for count in COUNTS]
    np.testing.assert_allclose(recall_of_groups(groups), expected, rtol=1e-6)
    scores = pair_scores(rows, rows)
    np.testing.assert_allclose(scores.recall, [expected] * 2, rtol=1e-6)
    assert scores.modality_gap == scores.alignment == 0
    assert scores.pairs == 120


def test_equal_rows_have_the_recall_of_chance():
    rows = jnp.full((40, 2), 0.3)
    np.testing.assert_allclose(recall(rows, rows), np.array(COUNTS) / 40, rtol=1e-6)
    few = recall(rows[:4], rows[:4])
    np.testing.assert_allclose(few, [0.25, 1, 1], rtol=1e-6)  # a gallery of fewer than k rows


@pytest.mark.parametrize("difference, tied", [(0.1 * TIED, True), (1e3 * TIED, False)])
def test_rows_that_differ_by_rounding_alone_are_tied(difference, tied):
    gallery = jnp.array([[1.0 + difference], [1.0], [-1.0], [-1.0 - difference]])
    queries = jnp.array([[1.0], [1.0], [-1.0], [-1.0]])  # two rows are nearer than their partner
    np.testing.assert_allclose(recall(queries, gallery, counts=(1,)), 0.5, rtol=1e-6)
    second = recall(queries[:2], gallery[:2] + jnp.array([[0.5], [0.5]]), counts=(1,))
    np.testing.assert_allclose(second, 0.5, rtol=1e-6)
    wrong = recall(queries[::3], gallery[::3][::-1], counts=(1,))  # never tied
    np.testing.assert_allclose(wrong, 0, atol=1e-6)
    nearer = jnp.array([[1.0 + difference], [1.0 + difference], [-2.0]])
    own = recall(jnp.array([[1.0], [1.0], [-2.0]]), nearer.at[1].add(difference), counts=(1,))
    np.testing.assert_allclose(own, (0.5 + 0.5 + 1) / 3 if tied else (1 + 0 + 1) / 3, rtol=1e-6)


def test_near_pairs_far_from_the_origin_are_found():
    """Partners 1e-3 apart among neighbours at 1e-2, where Gram matrices of raw rows would fail."""
    x = jnp.arange(200.0)[:, None] * jnp.array([[1e-2, 0.0]]) + 500.0
    np.testing.assert_allclose(recall(x, x + 1e-3), 1, rtol=1e-6)


def test_one_column_finds_every_partner_and_a_wrong_value_loses_it(key):
    """Of continuous semantics one is enough; what captions omit does not lower recall."""
    s = jax.random.normal(key, (500, 5))
    np.testing.assert_allclose(recall(s[:, :1], s[:, :1]), 1, rtol=1e-6)
    wrong = jnp.arange(500) % 4 < 3
    caption = s.at[:, 4].add(jnp.where(wrong, 3.0, 0.0))
    assert recall(s, caption)[0] < 0.5
    np.testing.assert_allclose(recall(s[:, :4], caption[:, :4]), 1, rtol=1e-6)


def test_vmapped_scores_agree_with_single_calls(pairs):
    lanes = jax.tree.map(lambda rows: jnp.stack([rows, 2 * rows + 1]), pairs)
    columns = jnp.array([[True, True, True], [True, False, True]])
    together = jax.vmap(lambda x, t, c: pair_scores(x, t, "cosine", c))(*lanes, columns)
    for lane in range(2):
        single = pair_scores(lanes[0][lane], lanes[1][lane], "cosine", columns[lane])
        for of_all, of_lane in zip(together, single, strict=True):
            np.testing.assert_allclose(of_all[lane], of_lane, atol=1e-6)


def test_scores_depend_on_neither_scale_nor_common_offset(pairs):
    expected = pair_scores(*pairs)
    for change in (lambda rows: rows * 1e-9, lambda rows: rows * 1e9, lambda rows: rows + 100):
        for changed, score in zip(pair_scores(*map(change, pairs)), expected, strict=True):
            np.testing.assert_allclose(changed, score, atol=2e-3)
