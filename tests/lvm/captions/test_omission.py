import jax
import jax.numpy as jnp
import numpy as np
import pytest

import lvm
from lvm.captions.generation import replace_values
from lvm.captions.omission import (
    CAPTION_MISALIGNMENTS,
    OMISSIONS,
    Described,
    misalign_captions,
)

LANGUAGE = lvm.make_language(
    (
        lvm.Factor("number", ("one", "two", "three", "four")),
        lvm.Factor("color", ("red", "green", "blue")),
        lvm.Factor("shape", ("round", "square", "flat")),
    ),
    ["a card [with {number} figures] [in {color}] [of {shape} form]"],
)
COUNT = 20_000
BIAS = lvm.bias_from_indices(3, [1, 2, 3], [2, 3])  # color and shape may be omitted


@pytest.fixture(scope="module")
def described():
    factors = jax.random.randint(jax.random.key(1), (COUNT, 3), 0, jnp.array([LANGUAGE.sizes]))
    return Described(LANGUAGE, factors, BIAS)


@jax.jit
def draw(kind, factors, rate):
    return misalign_captions(jax.random.key(2), kind, Described(LANGUAGE, factors, BIAS), rate)


def content(kind, described, rate):
    return draw(list(CAPTION_MISALIGNMENTS).index(kind), described.factors, rate)


@pytest.mark.parametrize("kind", OMISSIONS)
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_perturbable_factors_are_omitted_at_the_rate_and_no_value_changes(described, kind, rate):
    values, mentioned = content(kind, described, rate)
    np.testing.assert_array_equal(values, described.factors)
    assert mentioned[:, 0].all()
    np.testing.assert_allclose(1 - mentioned[:, 1:].mean(0), rate, atol=0.03)


@pytest.mark.parametrize("kind", OMISSIONS)
def test_the_ends_are_selections(described, kind):
    np.testing.assert_array_equal(content(kind, described, 0.0).mentioned, True)
    ends = content(kind, described, 1.0).mentioned
    np.testing.assert_array_equal(ends, np.broadcast_to([True, False, False], ends.shape))


def test_omission_depends_on_no_value_another_value_or_its_own(described):
    factors = np.asarray(described.factors)
    for kind in OMISSIONS:
        mentioned = np.asarray(content(kind, described, 0.5).mentioned)
        correlation = lambda of, mentioned=mentioned: np.corrcoef(mentioned[:, 1], of)[0, 1]
        by_number, by_color = correlation(factors[:, 0]), correlation(factors[:, 1])
        assert (by_number > 0.3) == (kind == "mar"), (kind, by_number)
        assert (by_color > 0.3) == (kind == "mnar"), (kind, by_color)
        assert min(by_number, by_color) > -0.03


def test_captions_mention_what_is_not_omitted(described):
    values, mentioned = content("mcar", described, 0.5)
    ids = lvm.generate_captions(LANGUAGE, values, np.zeros(COUNT, np.int32), mentioned)
    for text, row, of_row in zip(
        lvm.sentences(LANGUAGE, np.asarray(ids[:200])), values, mentioned, strict=False
    ):
        for index, factor in enumerate(LANGUAGE.factors):
            found = [word for word in factor.values if word in text.split()]
            assert found == [factor.values[row[index]]] * bool(of_row[index])


def test_noise_is_that_of_replace_values(described):
    values, mentioned = content("noise", described, 0.4)
    expected = replace_values(
        jax.random.key(2),
        LANGUAGE,
        described.factors,
        perturbable=BIAS.perturbable,
        probability=0.4,
    )
    np.testing.assert_array_equal(values, expected)
    assert mentioned.all()


@pytest.mark.parametrize(
    ("selected", "message"),
    [
        (np.ones((4, 3), bool), r"selected has shape \(4, 3\): allowed is \(5, 3\)"),
        (np.ones((5, 2), bool), r"selected has shape \(5, 2\): allowed is \(5, 3\)"),
        (np.ones((5, 3), np.float32), "selected is float32: allowed is bool"),
    ],
)
def test_masks_of_other_shape_or_type_are_refused(unchecked_types, selected, message):
    values = np.zeros((5, 3), np.int32)
    with pytest.raises(ValueError, match=message):
        lvm.generate_captions(LANGUAGE, values, values[:, 0], selected)


@pytest.mark.parametrize(
    ("kind", "bias", "rate", "message"),
    [
        (9, BIAS, 0.5, f"kind is 9: allowed is an integer, 0..{len(CAPTION_MISALIGNMENTS) - 1}"),
        (1, BIAS, 1.5, "rate is 1.5: allowed is 0 to 1"),
        (1, BIAS._replace(selected=np.ones(2, bool)), 0.5, r"selected has shape \(2,\)"),
    ],
)
def test_kinds_rates_and_masks_are_checked(unchecked_types, described, kind, bias, rate, message):
    with pytest.raises(ValueError, match=message):
        misalign_captions(jax.random.key(2), kind, described._replace(bias=bias), rate)
