import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lvm.categories import match_categories, number_categories

ROWS = 12
rows = st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 1)), min_size=ROWS, max_size=ROWS)


NUMBER, MATCH = jax.jit(number_categories), jax.jit(match_categories)


def of(values):
    return np.asarray(NUMBER(np.array(values, np.int32)))


@settings(max_examples=30, deadline=None)
@given(rows, rows)
def test_matches_are_of_the_same_category_and_exist_if_there_is_one(values, others):
    numbers = of(values + others)
    index, found = MATCH(*np.split(numbers, 2))
    for row, match, has_match in zip(values, np.asarray(index), np.asarray(found), strict=True):
        assert has_match == (row in others)
        assert not has_match or others[match] == row


@settings(max_examples=30, deadline=None)
@given(rows)
def test_every_other_row_is_matched_once_if_each_category_has_as_many(values):
    numbers = of(values + values[::-1])
    index, found = MATCH(*np.split(numbers, 2))
    assert found.all()
    assert sorted(np.asarray(index)) == list(range(ROWS))


def test_equal_rows_alone_have_one_number():
    values = [[1, 0], [0, 1], [1, 0], [1, 1], [0, 1]]
    numbers = of(values)
    equal = np.array([[a == b for b in values] for a in values])
    np.testing.assert_array_equal(numbers[:, None] == numbers, equal)
    np.testing.assert_array_equal(np.unique(numbers), [0, 1, 2])


def test_other_rows_are_used_again_in_turn():
    index, found = MATCH(jnp.array([0, 0, 1, 0]), jnp.array([2, 0, 0]))
    np.testing.assert_array_equal(found, [True, True, False, True])
    np.testing.assert_array_equal(index[found], [1, 2, 1])


def test_lanes_together_agree_with_each_alone(key):
    values = jax.random.bernoulli(key, 0.5, (3, 40, 4))
    match = lambda values: match_categories(*jnp.split(number_categories(values), 2))
    together, of_lane = jax.jit(jax.vmap(match))(values), jax.jit(match)
    for lane in range(3):
        alone = of_lane(values[lane])
        for both, single in zip(together, alone, strict=True):
            np.testing.assert_array_equal(both[lane], single)
