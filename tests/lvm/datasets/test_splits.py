import numpy as np
import pytest

from lvm.datasets.splits import drawn_splits, file_order_splits, train_test_rows


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


def test_train_and_test_rows_share_none_and_cover_all():
    train, test = train_test_rows(200, test_share=0.15, seed=1)
    assert (len(train), len(test)) == (170, 30)
    np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(200))
    assert train.tolist() != list(range(170))
    fewer = train_test_rows(200, test_share=0.15, seed=1, images=40)
    assert tuple(map(len, fewer)) == (34, 6)


def test_rows_of_a_data_set_with_splits_keep_their_purpose():
    splits = file_order_splits(100)
    train, test = train_test_rows(100, test_share=0.5, seed=1, splits=splits)
    np.testing.assert_array_equal(train, splits.train)
    np.testing.assert_array_equal(test, splits.test)
    train, test = train_test_rows(100, test_share=0.5, seed=1, images=60, splits=splits)
    assert set(train) <= set(splits.train) and set(test) <= set(splits.test)
    assert len(train) + len(test) == 60


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": 201}, "images is 201: allowed is 200 at most"),
        ({"test_share": 0.0}, "images is 200, of which 0 are for tests: allowed are two or more"),
        ({"test_share": 1.0}, "images is 200, of which 200 are for tests"),
    ],
)
def test_rows_that_leave_a_purpose_without_images_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        train_test_rows(200, **{"test_share": 0.1, "seed": 0} | changes)
