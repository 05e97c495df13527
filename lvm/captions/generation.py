"""Captions: what a biased text says of discrete factors, as token ids made on the device."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Key

from lvm.captions.language import NO_WORD, Language


def generate_captions(
    language: Language,
    values: Int[Array | np.ndarray, "n factors"],
    phrasing: Int[Array | np.ndarray, " n"],
    selected: Bool[Array | np.ndarray, " factors"],
) -> Int[Array, "n length"]:
    """What captions say of the selected factors: int32 [n, length], filled up with 0.

    values: of the factors, from 0; phrasing: of each row, from 0.
    """
    about = jnp.asarray(language.about)[phrasing]
    row, place = jnp.arange(len(values))[:, None], jnp.arange(about.shape[1])[None]
    known = jnp.pad(values, ((0, 0), (0, 1)))  # the last column is for places about no factor
    ids = jnp.asarray(language.words)[phrasing[:, None], place, known[row, about]]
    said = jnp.append(selected, True)[about] & (ids != NO_WORD)
    closed_up = jnp.where(said, jnp.cumsum(said, axis=1) - 1, ids.shape[1])
    return jnp.zeros_like(ids).at[row, closed_up].set(ids, mode="drop")


def replace_values(
    key: Key[Array, ""],
    language: Language,
    values: Int[Array | np.ndarray, "n factors"],
    *,
    perturbable: Bool[Array | np.ndarray, " factors"],
    probability: Float[Array, ""] | float,
    may_equal_truth: Bool[Array, ""] | bool = True,
) -> Int[Array, "n factors"]:
    """Values of which each perturbable one is redrawn with a probability: int32 [n, factors].

    The new value is uniform over all values, so that it may be the true one (the paper's way), or,
    without `may_equal_truth`, over the others.
    """
    key_which, key_step = jax.random.split(key)
    which = jax.random.bernoulli(key_which, probability, values.shape)
    sizes = jnp.array(language.sizes)[None]
    step = jax.random.randint(key_step, values.shape, jnp.where(may_equal_truth, 0, 1), sizes)
    return jnp.where(which & jnp.asarray(perturbable)[None], (values + step) % sizes, values)
