"""Pairs: images and texts of the same semantics, the text through its bias."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lvm.bias import Bias
from lvm.mixing import mix
from lvm.semantics import solve_semantics
from lvm.world import World

Shift = Callable[[Key[Array, ""], Float[Array, "count n"]], Float[Array, "count n"]]


class Pairs(NamedTuple):
    """A batch of pairs with the latents behind them; all float32.

    x, t:     observations [count, n + d_x] and [count, n + d_t].
    s:        true semantics [count, n].
    s_text:   semantics as the text tells them [count, n]: distorted, and 0 where not selected.
    m_x, m_t: image-only [count, d_x] and text-only [count, d_t] latents.
    """

    x: Float[Array, "count x"]
    t: Float[Array, "count t"]
    s: Float[Array, "count n"]
    s_text: Float[Array, "count n"]
    m_x: Float[Array, "count d_x"]
    m_t: Float[Array, "count d_t"]


@jax.default_matmul_precision("float32")
def sample_pairs(
    key: Key[Array, ""],
    world: World,
    bias: Bias,
    noise_probability: Float[Array, ""] | float,
    count: int,
    shift: Shift | None = None,
) -> Pairs:
    """Draws `count` pairs (paper section 3); `shift` changes the semantics before anything else.

    For each pair every perturbable semantic is distorted with `noise_probability`, by correlated
    Gaussian noise. The scene is untouched: a distortion does not reach the image nor the
    descendants of a semantic.
    """
    key_noise, key_subset, key_shift = jax.random.split(key, 3)
    n, d_x, d_t = len(bias.selected), len(world.root_x), len(world.root_t)
    noise = jax.random.normal(key_noise, (count, n + d_x + d_t + n))  # one draw is the fastest
    noise_s, noise_x, noise_t, noise_text = jnp.split(noise, [n, n + d_x, n + d_x + d_t], axis=1)
    s = solve_semantics(world.semantics, noise_s)
    s = s if shift is None else shift(key_shift, s)
    m_x = noise_x @ world.root_x.T
    m_t = noise_t @ world.root_t.T
    distorted = jax.random.bernoulli(key_subset, noise_probability, s.shape)
    distorted &= bias.perturbable[None]
    s_text = jnp.where(distorted, s + noise_text @ world.root_noise.T, s)
    s_text = jnp.where(bias.selected[None], s_text, 0.0)
    x = mix(world.mixing_x, jnp.concatenate([s, m_x], axis=1))
    t = mix(world.mixing_t, jnp.concatenate([s_text, m_t], axis=1))
    return Pairs(x, t, s, s_text, m_x, m_t)
