import numpy as np
import pytest

from experiments.studies.stamps.shared_neighbours import Relation, neighbour_table, recalls
from lvm.datasets.stamps import Stamps

COLOURS = {"a": (220, 20, 30), "b": (30, 60, 200)}


def stamps(colours, categories="aabb" * 6):
    """Stamps of one colour each, in two categories, with captions of a word of the category."""
    pictures = np.full((len(colours), 2, 2, 4), 255, np.uint8)
    pictures[..., :3] = np.array([COLOURS[name] for name in colours])[:, None, None]
    names = tuple(f"{name}/{number % 3}/x{number}" for number, name in enumerate(categories))
    captions = tuple(f"{name}{number // 4} thing" for number, name in enumerate(categories))
    return Stamps(names, pictures, {"en": captions}, ())


def rows(table, distance, relation):
    return table[(table.distance == distance) & (table.relation == relation)].set_index("k")


def test_recall_counts_queries_with_a_related_candidate():
    distances = np.array([[0, 1, 2, 9], [1, 0, 3, 9], [2, 3, 0, 9], [5, 6, 7, 0]], float)
    related = np.zeros((4, 4), bool)
    related[0, 2] = related[2, 0] = related[1, 3] = related[3, 1] = True
    candidates = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(
        recalls(distances, Relation(related, candidates), (1, 2, 3)), [0.25, 0.75, 1]
    )
    candidates[1, 3] = candidates[0, 1] = False
    np.testing.assert_allclose(
        recalls(distances, Relation(related, candidates), (1, 2)), [2 / 3, 1]
    )
    assert np.isnan(recalls(distances, Relation(related, ~candidates & False), (1,)))
    with pytest.raises(ValueError, match="there are 4 stamps: allowed is 6 or more"):
        recalls(distances, Relation(related, candidates), (5,))


def test_pictures_that_differ_by_category_are_found_and_permuted_ones_are_not():
    categories = "aabb" * 6
    table = neighbour_table(stamps(categories), np.random.default_rng(0), draws=50)
    for distance in ("pixels", "colours"):
        found = rows(table, distance, "category")
        assert (found.recall == 1).all()
        assert found.queries.tolist() == [24, 24]
        assert found.p_value[1] == pytest.approx(1 / 51)
        assert 0.3 < found.chance[1] < 0.65 < found.chance[5]
    order = np.random.default_rng(1).permutation(24)
    mixed = "".join(np.array(list(categories))[order])
    table = neighbour_table(stamps(mixed), np.random.default_rng(0), draws=50)
    assert (rows(table, "pixels", "category").p_value > 0.05).all()


def test_relations_leave_out_stamps_of_the_same_subfolder_and_of_the_largest_category():
    table = neighbour_table(stamps("aabb" * 6), np.random.default_rng(0), draws=2)
    assert rows(table, "pixels", "category, other subfolder").recall[1] == 1
    rest = rows(table, "pixels", "category, other subfolder, no a")
    assert rest.queries.tolist() == [12, 12]
    assert rows(table, "words", "a word of the caption").empty
    words = rows(table, "pixels", "a word of the caption")  # a0, a0: one pair per word
    assert words.queries.tolist() == [0, 0]  # of 24 captions, two are more than one in twenty
    assert words.recall.isna().all() and words.p_value.isna().all()
    assert rows(table, "pixels", "the whole caption").queries.tolist() == [24, 24]


def test_captions_are_compared_by_their_rare_words_alone():
    categories = "aabb" * 11  # two captions of 44 contain each word, and all contain `thing`
    table = neighbour_table(stamps(categories, categories), np.random.default_rng(0), draws=20)
    assert rows(table, "words", "category").recall[1] == 1
    assert rows(table, "pixels", "a word of the caption").queries.tolist() == [44, 44]
    few = neighbour_table(stamps("aabb" * 6), np.random.default_rng(0), draws=20)
    assert 0.2 < rows(few, "words", "category").recall[1] < 0.8  # no rare words: by chance


def test_neighbours_in_the_same_subfolder_do_not_count_where_they_are_left_out():
    colours = "".join("ab"[(number % 4 > 1) ^ (number % 2)] for number in range(24))
    alike = stamps(colours, "aabb" * 6)  # a colour in one subfolder of a, and in the other of b
    names = tuple(f"{name[0]}/{number % 2}/{number}" for number, name in enumerate(alike.names))
    table = neighbour_table(alike._replace(names=names), np.random.default_rng(0), draws=2)
    assert 0 < rows(table, "pixels", "category").recall[1] < 1
    assert rows(table, "pixels", "category, other subfolder").recall.tolist() == [0, 0]
