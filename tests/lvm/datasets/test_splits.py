import numpy as np
import pytest

from lvm.datasets.splits import drawn_splits, file_order_splits


@pytest.mark.parametrize(
    ("count", "sizes"), [(100_000, (80_000, 10_000, 10_000)), (13, (10, 1, 2)), (1, (0, 0, 1))]
)
def test_splits_are_in_the_order_of_the_file(count, sizes):
    splits = file_order_splits(count)
    assert tuple(map(len, splits)) == sizes
    np.testing.assert_array_equal(np.concatenate(splits), np.arange(count))


@pytest.mark.parametrize("count", [20, 57, 200])
def test_drawn_splits_share_no_row_and_are_sorted(count):
    splits = drawn_splits(200, count, seed=3)
    rows = np.concatenate(splits)
    assert len(set(rows.tolist())) == count
    assert len(splits.val) == len(splits.test) == count // 20
    assert 0 <= rows.min() <= rows.max() < 200
    assert all((np.diff(split) > 0).all() for split in splits)


def test_a_draw_depends_on_its_seed_alone():
    splits, same, other = (drawn_splits(200, 100, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(np.concatenate(splits), np.concatenate(same))
    assert set(splits.test.tolist()) != set(other.test.tolist())


@pytest.mark.parametrize("count", [-1, 0, 19, 201])
def test_invalid_counts_are_refused(count):
    with pytest.raises(ValueError, match=rf"images is {count}: allowed is 20..200"):
        drawn_splits(200, count, 0)
