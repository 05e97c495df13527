"""Encoders built by hand, whose scores are known for every metric.

Latents are s1 to s4, standard normal. The first three are unbiased and independent; s4 is biased,
correlates with s1 and is independent of s2 and s3.
"""

import jax
import jax.numpy as jnp

from probes import Split

UNBIASED = 3  # number of unbiased latents
CORRELATION = 0.6  # of s1 and s4


def draw(key, encoder, fit, test):
    """Returns latents and their representation by an encoder, each a `Split` of these sizes."""
    keys = jax.random.split(key, 4)
    s = Split(draw_latents(keys[0], fit), draw_latents(keys[1], test))
    return s, Split(encoder(keys[2], s.fit), encoder(keys[3], s.test))


def column(s, index):
    return Split(*(part[:, index : index + 1] for part in s))


def draw_latents(key, count):
    s = jax.random.normal(key, (count, UNBIASED + 1))
    noise = (1 - CORRELATION**2) ** 0.5 * s[:, UNBIASED]
    return s.at[:, UNBIASED].set(CORRELATION * s[:, 0] + noise)


def identity(key, s):
    return s[:, :UNBIASED]


def rotation(key, s):
    orthogonal, _ = jnp.linalg.qr(jax.random.normal(jax.random.key(3), (UNBIASED, UNBIASED)))
    return s[:, :UNBIASED] @ orthogonal


def warp(key, s):
    """A monotone function of each latent."""
    return s[:, :UNBIASED] + 0.8 * jnp.sin(s[:, :UNBIASED])


def dropped(key, s):
    """The third column is 0."""
    return s[:, :UNBIASED].at[:, 2].set(0.0)


def leaked(key, s):
    """The third column contains the biased latent too."""
    return s[:, :UNBIASED].at[:, 2].add(0.4 * s[:, UNBIASED])


def entangled(key, s):
    """All columns contain the same noise, like an image-only latent."""
    return s[:, :UNBIASED] + 0.7 * jax.random.normal(key, (len(s), 1))


ENCODERS = {
    encoder.__name__: encoder for encoder in (identity, rotation, warp, dropped, leaked, entangled)
}
