"""Generation: captions of discrete factors under a bias, as token ids made on the device."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from lvm.captions.language import NO_WORD, Language
from lvm.categories import match_categories, number_categories
from lvm.checks import check_integers, check_mask, check_probability, check_shape, known_value


def generate_captions(
    language: Language,
    values: Int[Array | np.ndarray, "n factors"],
    phrasing: Int[Array | np.ndarray, " n"],
    selected: Bool[Array | np.ndarray, "*n factors"],
) -> Int[Array, "n length"]:
    """Returns captions that mention the selected factors: int32 [n, length], padded with 0.

    values:   int32 [n, factors], values of the factors, from 0.
    phrasing: int32 [n], index of the phrasing of each caption.
    selected: bool [factors], or bool [n, factors] if captions mention different factors.

    Raises ValueError for another shape or dtype, and for a known value or phrasing out of range.
    """
    _check_values(language, values)
    check_shape("phrasing", phrasing, (len(values),), ", one per row of values")
    check_integers("phrasing", phrasing, len(language.phrasings))
    _check_selected(language, selected, len(values))
    return _token_ids(language, values, phrasing, selected)


@partial(jax.jit, static_argnums=0)
def _token_ids(language: Language, values, phrasing, selected) -> Int[Array, "n length"]:
    about = jnp.asarray(language.about)[phrasing]
    row, position = jnp.arange(len(values))[:, None], jnp.arange(about.shape[1])[None]
    beyond = (0, 0), (0, 1)  # the last column is for words about no factor
    padded = jnp.pad(values, beyond)
    selected = jnp.pad(jnp.broadcast_to(selected, values.shape), beyond, constant_values=True)
    ids = jnp.asarray(language.words)[phrasing[:, None], position, padded[row, about]]
    mentioned = selected[row, about] & (ids != NO_WORD)
    without_gaps = jnp.where(mentioned, jnp.cumsum(mentioned, axis=1) - 1, ids.shape[1])
    return jnp.zeros_like(ids).at[row, without_gaps].set(ids, mode="drop")


def replace_values(
    key: Key[Array, ""],
    language: Language,
    values: Int[Array | np.ndarray, "n factors"],
    *,
    perturbable: Bool[Array | np.ndarray, " factors"],
    probability: Float[Array, ""] | float,
    may_equal_truth: Bool[Array, ""] | bool = True,
) -> Int[Array, "n factors"]:
    """Returns values with each perturbable one redrawn with a probability: int32 [n, factors].

    The new value is uniform over all values of the factor, which include the true one (as in the
    paper), or, without `may_equal_truth`, over all others. Raises ValueError for another shape or
    dtype, and for a known value or probability out of range.
    """
    _check_values(language, values)
    check_mask("perturbable", perturbable, len(language.factors), ", one per factor")
    check_probability("probability", probability)
    key_which, key_step = jax.random.split(key)
    which = jax.random.bernoulli(key_which, probability, values.shape)
    sizes = jnp.array(language.sizes)[None]
    step = jax.random.randint(key_step, values.shape, jnp.where(may_equal_truth, 0, 1), sizes)
    return jnp.where(which & jnp.asarray(perturbable)[None], (values + step) % sizes, values)


def shuffle_in_category(
    key: Key[Array, ""],
    language: Language,
    values: Int[Array | np.ndarray, "n factors"],
    others: Int[Array | np.ndarray, "others factors"],
    *,
    category: Bool[Array | np.ndarray, " factors"],
    probability: Float[Array, ""] | float,
) -> Int[Array, "n factors"]:
    """Returns values, of which whole rows are replaced with a probability: int32 [n, factors].

    A row is replaced by one of the others of the same category (arXiv 2601.19597), which is the
    values of the factors in `category`. Where there is none, one of another category gets the right
    values of these factors.

    others:   int32 [others, factors], values of one other image at least, in random order.
    category: bool [factors].

    Raises ValueError for another shape or dtype, and for a known value or probability out of range.
    """
    _check_values(language, values)
    _check_values(language, others, "others")
    if not len(others):
        raise ValueError("others has 0 rows: allowed is 1 or more")
    check_mask("category", category, len(language.factors), ", one per factor")
    check_probability("probability", probability)
    return _shuffled(key, values, others, category, probability)


@jax.jit
def _shuffled(key, values, others, category, probability) -> Int[Array, "n factors"]:
    category = category[None]
    numbers = number_categories(jnp.where(category, jnp.concatenate([values, others]), 0))
    index, found = match_categories(numbers[: len(values)], numbers[len(values) :])
    any_other = jnp.arange(len(values)) % len(others)
    other = others[jnp.where(found, index, any_other)]
    which = jax.random.bernoulli(key, probability, (len(values), 1))
    return jnp.where(which & ~category, other, values)


def _check_selected(language: Language, selected, count: int) -> None:
    factors = len(language.factors)
    if jnp.ndim(selected) == 2:
        check_shape("selected", selected, (count, factors), ", one row per row of values")
        selected = selected[0] if count else jnp.zeros(factors, bool)  # for the check of the type
    check_mask("selected", selected, factors, ", one per factor")


def _check_values(language: Language, values, field: str = "values") -> None:
    check_shape(field, values, ("n", len(language.factors)), ", one column per factor")
    if (known := known_value(values)) is None:
        check_integers(field, values, max(language.sizes))
        return
    for name, size, column in zip(language.names, language.sizes, known.T, strict=True):
        check_integers(f"{field}: {name}", column, size)
