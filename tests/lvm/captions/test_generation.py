import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.captions.generation import replace_values, shuffle_in_category

FACTORS = (
    lvm.Factor("number", ("one", "two", "three", "four")),
    lvm.Factor("color", ("red", "dark green")),
    lvm.Factor("shape", ("round", "square", "flat")),
)
LANGUAGE = lvm.make_language(
    FACTORS, ["a card [with {number} figures] [in {color}] [of {shape} form]"] * 2
)
COUNT = 6000


@pytest.fixture
def values(key):
    return jax.random.randint(key, (COUNT, 3), 0, jnp.array([LANGUAGE.sizes]))


def replace(values, perturbable, probability, may_equal_truth):
    return replace_values(
        jax.random.key(3),
        LANGUAGE,
        values,
        perturbable=jnp.array(perturbable),
        probability=probability,
        may_equal_truth=may_equal_truth,
    )


@pytest.mark.parametrize("may_equal_truth", [True, False])
def test_replaced_values_are_uniform_over_those_allowed(values, may_equal_truth):
    replaced = np.asarray(replace(values, [True, True, True], 1.0, may_equal_truth))
    for index, size in enumerate(LANGUAGE.sizes):
        step = (replaced - np.asarray(values))[:, index] % size
        expected = np.full(size, 1 / size) if may_equal_truth else np.append(0, np.ones(size - 1))
        frequencies = np.bincount(step, minlength=size) / COUNT
        np.testing.assert_allclose(frequencies, expected / expected.sum(), atol=0.03)
        assert may_equal_truth or frequencies[0] == 0


@pytest.mark.parametrize(
    ("may_equal_truth", "rates"),
    [(True, [0.4 * 3 / 4, 0, 0.4 * 2 / 3]), (False, [0.4, 0, 0.4])],
)
def test_only_perturbable_values_are_replaced_at_the_rate(values, may_equal_truth, rates):
    differs = np.asarray(replace(values, [True, False, True], 0.4, may_equal_truth) != values)
    np.testing.assert_allclose(differs.mean(0), rates, atol=0.03)
    np.testing.assert_array_equal(differs[:, 1], False)
    both = (differs[:, 0] & differs[:, 2]).mean()
    np.testing.assert_allclose(both, rates[0] * rates[2], atol=0.03)


@pytest.mark.parametrize(("probability", "rate"), [(0.0, 0.0), (1.0, 1.0)])
def test_probabilities_0_and_1(values, probability, rate):
    differs = np.asarray(replace(values, [True, True, True], probability, False) != values)
    np.testing.assert_array_equal(differs, rate)


def test_captions_have_no_gaps_and_are_padded_with_zeros(values):
    for selected in np.ndindex(2, 2, 2):
        mask = np.array(selected, bool)
        ids = np.asarray(lvm.generate_captions(LANGUAGE, values, values[:, 1], mask))
        assert ids.shape == (COUNT, 11)
        assert ids.dtype == np.int32
        is_word = ids > 0
        np.testing.assert_array_equal(is_word, np.sort(is_word, axis=1)[:, ::-1])


def test_captions_are_equal_exactly_if_their_values_are(values):
    selected = np.array([True, False, True])
    texts = lvm.sentences(
        LANGUAGE, np.asarray(lvm.generate_captions(LANGUAGE, values, values[:, 1], selected))
    )
    text_by_values = {}
    for row, text in zip(np.asarray(values)[:, selected], texts, strict=True):
        assert text_by_values.setdefault(tuple(row), text) == text
    assert len(set(text_by_values.values())) == len(text_by_values) == 4 * 3


def test_one_program_serves_all_settings_and_equals_plain_calls(values, key):
    traces = []

    def caption(key, selected, perturbable, probability, may_equal_truth):
        traces.append(key)
        replaced = replace_values(
            key,
            LANGUAGE,
            values,
            perturbable=perturbable,
            probability=probability,
            may_equal_truth=may_equal_truth,
        )
        return lvm.generate_captions(LANGUAGE, replaced, values[:, 1], selected)

    settings = (
        jnp.array([[True, True, True], [False, True, True], [True, False, False]]),
        jnp.array([[True, False, True], [False, True, False], [False, False, False]]),
        jnp.array([0.9, 0.25, 1.0]),
        jnp.array([True, False, True]),
    )
    keys = jax.random.split(key, 3)
    together = jax.jit(jax.vmap(caption))
    ids = together(keys, *settings)
    together(keys[::-1], *(field[::-1] for field in settings))
    assert len(traces) == 1
    for index in range(3):
        alone = caption(keys[index], *(field[index] for field in settings))
        np.testing.assert_array_equal(ids[index], alone)


def shuffle(values, others, probability=1.0, category=(True, False, False)):
    key = jax.random.key(4)
    return np.asarray(
        shuffle_in_category(
            key,
            LANGUAGE,
            values,
            others,
            category=np.array(category),
            probability=probability,
        )
    )


def dependent_values(key):
    """Values whose color and shape depend on one another and on the number."""
    number, shape = jax.random.randint(key, (2, COUNT), 0, jnp.array([[4], [3]]))
    return jnp.stack([number, (number + shape) % 2, shape], axis=1)


def test_a_shuffled_row_is_another_one_of_its_category(key):
    values, others = map(dependent_values, jax.random.split(key))
    shuffled, half = shuffle(values, others), shuffle(values, others, 0.5)
    np.testing.assert_array_equal(shuffled[:, 0], values[:, 0])
    np.testing.assert_array_equal(shuffled[:, 1], shuffled[:, [0, 2]].sum(1) % 2)  # a whole row
    for number in range(4):
        rows = shuffled[:, 0] == number
        table = np.zeros((3, 3))
        np.add.at(table, (np.asarray(values)[rows, 2], shuffled[rows, 2]), 1 / rows.sum())
        np.testing.assert_allclose(table, 1 / 9, atol=0.03)  # all else is wrong
    kept = (half == np.asarray(values)).all(1)
    np.testing.assert_allclose(kept.mean(), 0.5 + 0.5 / 3, atol=0.03)
    np.testing.assert_array_equal(half, np.where(kept[:, None], values, shuffled))
    np.testing.assert_array_equal(shuffle(values, others, 0.0), values)


def test_a_category_without_another_row_keeps_its_values():
    values, others = jnp.array([[0, 0, 0], [1, 0, 0], [0, 1, 1]]), jnp.array([[3, 1, 2], [0, 1, 2]])
    expected = [[0, 1, 2], [1, 1, 2], [0, 1, 2]]
    np.testing.assert_array_equal(shuffle(values, others), expected)
    category = [True, True, True]
    np.testing.assert_array_equal(shuffle(values, others, category=category), values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"others": jnp.full((2, 3), 4)}, "others: number is 4 at index 0: allowed is an integer"),
        ({"others": jnp.zeros((0, 3), int)}, "others has 0 rows: allowed is 1 or more"),
        ({"probability": 1.5}, "probability is 1.5: allowed is 0 to 1"),
    ],
)
def test_invalid_shuffles_are_refused(values, changes, message):
    with pytest.raises(ValueError, match=message):
        shuffle(**{"values": values, "others": values} | changes)
