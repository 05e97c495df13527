"""Shift: a change of the law of some semantics at test time."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lvm.bias import Mask
from lvm.checks import check_mask, check_probability, check_shape

OUTLIER = 10.0


def heavy_tails(
    key: Key[Array, ""],
    s: Float[Array, "count n"],
    shifted: Mask,
    outlier_probability: float = 0.0,
) -> Float[Array, "count n"]:
    """Returns semantics with s → 2 sign(s) s² where `shifted`: float32 [count, n].

    Each shifted value then moves by +10 or -10 with `outlier_probability`, 0.1 in the reference
    code. The shift is that of paper section 5.1. Raises ValueError for a mask of another length
    than a row of semantics and for a known probability outside 0..1.
    """
    check_shape("s", s, ("count", "n"))
    check_mask("shifted", shifted, s.shape[1], ", as the semantics")
    check_probability("outlier_probability", outlier_probability)
    key_which, key_sign = jax.random.split(key)
    outlier = jax.random.bernoulli(key_which, outlier_probability, s.shape)
    sign = jax.random.rademacher(key_sign, s.shape, s.dtype)
    moved = 2 * jnp.sign(s) * s**2 + jnp.where(outlier, OUTLIER * sign, 0.0)
    return jnp.where(shifted[None], moved, s)
