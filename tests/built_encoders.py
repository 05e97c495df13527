"""Encoders built by hand, of each of which it is known what a metric must say.

Latents are s1 to s4, standard normal. The first three are unbiased and independent; s4, the biased
one, correlates with s1 and tells no more of the others.
"""

import jax
import jax.numpy as jnp

from probes import Split

UNBIASED = 3
SHARED = 0.6  # correlation of s1 and s4


def draw(key, encoder, fit, test):
    """Latents and what an encoder makes of them, each a `Split` of so many rows."""
    keys = jax.random.split(key, 4)
    s = Split(draw_latents(keys[0], fit), draw_latents(keys[1], test))
    return s, Split(encoder(keys[2], s.fit), encoder(keys[3], s.test))


def column(s, place):
    return Split(*(part[:, place : place + 1] for part in s))


def draw_latents(key, count):
    s = jax.random.normal(key, (count, UNBIASED + 1))
    return s.at[:, UNBIASED].set(SHARED * s[:, 0] + (1 - SHARED**2) ** 0.5 * s[:, UNBIASED])


def identity(key, s):
    return s[:, :UNBIASED]


def rotation(key, s):
    turn, _ = jnp.linalg.qr(jax.random.normal(jax.random.key(3), (UNBIASED, UNBIASED)))
    return s[:, :UNBIASED] @ turn


def warp(key, s):
    """Of each latent by itself, monotone."""
    return s[:, :UNBIASED] + 0.8 * jnp.sin(s[:, :UNBIASED])


def dropped(key, s):
    """The third latent is gone, its column 0."""
    return s[:, :UNBIASED].at[:, 2].set(0.0)


def leaked(key, s):
    """The third column tells of the biased latent too."""
    return s[:, :UNBIASED].at[:, 2].add(0.4 * s[:, UNBIASED])


def entangled(key, s):
    """One noise in all columns, as a latent of the image alone would be."""
    return s[:, :UNBIASED] + 0.7 * jax.random.normal(key, (len(s), 1))


ENCODERS = {
    encoder.__name__: encoder for encoder in (identity, rotation, warp, dropped, leaked, entangled)
}
