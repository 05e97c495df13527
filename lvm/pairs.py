"""Pairs: images and texts of the same semantics, the text through its bias."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Key

from lvm.bias import Bias
from lvm.mixing import mix
from lvm.semantics import sample_semantics
from lvm.world import World


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


def sample_pairs(
    key: Key[Array, ""], world: World, bias: Bias, noise_probability: Float[Array, ""], count: int
) -> Pairs:
    """Draws `count` pairs (paper section 3).

    For each pair every perturbable semantic is distorted with `noise_probability`, by correlated
    Gaussian noise. The scene is untouched: a distortion does not reach the image nor the
    descendants of a semantic.
    """
    key_s, key_x, key_t, key_noise, key_subset = jax.random.split(key, 5)
    s = sample_semantics(key_s, world.semantics, count)
    m_x = _gaussian(key_x, world.root_x, count)
    m_t = _gaussian(key_t, world.root_t, count)
    noise = _gaussian(key_noise, world.root_noise, count)
    distorted = jax.random.bernoulli(key_subset, noise_probability, s.shape) & bias.perturbable
    s_text = jnp.where(bias.selected, jnp.where(distorted, s + noise, s), 0.0)
    x = mix(world.mixing_x, jnp.concatenate([s, m_x], axis=-1))
    t = mix(world.mixing_t, jnp.concatenate([s_text, m_t], axis=-1))
    return Pairs(x, t, s, s_text, m_x, m_t)


@jax.default_matmul_precision("float32")
def _gaussian(key, root, count):
    return jax.random.normal(key, (count, len(root))) @ root.T
