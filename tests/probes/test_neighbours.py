import jax
import jax.numpy as jnp
import numpy as np
import pytest

from probes import nearest


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_nearest_rows_agree_with_float64(offset, key):
    rows, queries = jax.random.normal(key, (700, 4)) + offset, jax.random.normal(key, (300, 4))
    queries = queries + offset
    a, b = np.asarray(queries, np.float64), np.asarray(rows, np.float64)
    expected = np.argsort(((a[:, None] - b[None]) ** 2).sum(2), axis=1)[:, :5]
    agree = np.asarray(nearest(queries, rows, 5)) == expected
    assert agree.mean() > 0.999


def test_the_nearest_row_is_itself_and_equal_rows_are_in_order(key):
    rows = jax.random.normal(key, (50, 3))
    np.testing.assert_array_equal(nearest(rows, rows, 1)[:, 0], jnp.arange(50))
    np.testing.assert_array_equal(nearest(rows[:2], jnp.tile(rows[:2], (3, 1)), 2)[0], [0, 2])


def test_nearest_refuses_a_count_above_the_number_of_rows(key):
    rows = jnp.zeros((3, 2))
    with pytest.raises(ValueError, match="3"):
        nearest(rows, rows, 4)


def test_vmapped_neighbours_agree_with_single_calls(key):
    lanes = jax.random.normal(key, (2, 20, 3))
    together = jax.vmap(lambda rows: nearest(rows, rows, 3))(lanes)
    np.testing.assert_array_equal(together[1], nearest(lanes[1], lanes[1], 3))
