import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.captions.generation import replace_values

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
