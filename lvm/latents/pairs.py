"""Pairs: images and texts of the same semantics, the text through its bias."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from lvm.bias import Bias
from lvm.latents.misalignment import PLAIN, Scene, Shift, Telling, Told, tell
from lvm.latents.mixing import mix
from lvm.latents.noise_laws import gaussian
from lvm.latents.semantics import solve_semantics
from lvm.latents.world import World


class Pairs(NamedTuple):
    """A batch of pairs with the latents behind them; all float32.

    x, t:     observations [count, n + d_x] and [count, n + d_t].
    s:        true semantics [count, n].
    s_text:   semantics as the text tells them [count, n]: distorted, and 0 where not selected.
    m_x, m_t: image-only [count, d_x] and text-only [count, d_t] latents.

    Of several captions, t, s_text and m_t stand side by side: each is so many times as wide. Where
    a study marks what is left out, the t of a caption ends in n columns more, 1 at what is marked.
    """

    x: Float[Array, "count x"]
    t: Float[Array, "count t"]
    s: Float[Array, "count n"]
    s_text: Float[Array, "count told"]
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
    telling: Telling = PLAIN,
    kind: Int[Array, ""] | int = 0,
    noise_law: Callable[[Float[Array, "count n"]], Float[Array, "count n"]] = gaussian,
) -> Pairs:
    """Draws `count` pairs (paper section 3); `shift` changes the semantics before anything else.

    For each pair every perturbable semantic is distorted with `noise_probability`, by correlated
    Gaussian noise. The scene is untouched: a distortion does not reach the image nor the
    descendants of a semantic. Another `kind` of MISALIGNMENTS, of those in `telling`, does
    something else at that rate. `noise_law`, of EXOGENOUS, makes exogenous noise of normal numbers.
    """
    key_noise, key_subset, key_shift = jax.random.split(key, 3)
    n, d_x, d_t = len(bias.selected), len(world.root_x), len(world.root_t)
    ends = [n + d_x + place * (d_t + n) for place in range(telling.captions + 1)]
    noise = jax.random.normal(key_noise, (count, ends[-1]))  # one draw is the fastest
    noise_s, noise_x, *noises = jnp.split(noise, [n, *ends[:-1]], axis=1)
    chances = jax.random.uniform(key_subset, (count, n * telling.captions))
    shift = (lambda s: s) if shift is None else partial(shift, key_shift)
    noise_s = noise_law(noise_s)
    s = shift(solve_semantics(world.semantics, noise_s))

    def caption(noise, chance):
        noise_t, value = jnp.split(noise, [d_t], axis=1)
        draws = (noise_s, s, chance, value)
        scene = Scene(world.semantics, world.root_noise, bias, *draws, shift, noise_law)
        told = tell(telling, kind, scene, noise_probability)
        return told.s, *_write(world, bias, telling, told, noise_t)

    captions = map(caption, noises, jnp.split(chances, telling.captions, axis=1))
    (shown, *_), *texts = zip(*captions, strict=True)
    t, s_text, m_t = (jnp.concatenate(parts, axis=1) for parts in texts)
    m_x = noise_x @ world.root_x.T
    x = mix(world.mixing_x, jnp.concatenate([shown, m_x], axis=1))
    return Pairs(x, t, shown, s_text, m_x, m_t)


def _write(world: World, bias: Bias, telling: Telling, told: Told, noise_t):
    """The text t of a caption, the semantics it tells and its own latents m_t."""
    m_t = noise_t @ world.root_t.T
    s_text = jnp.where(bias.selected[None], told.told, 0.0)
    t = mix(world.mixing_t, jnp.concatenate([s_text, m_t], axis=1))
    marks = [told.marks.astype(t.dtype)] if telling.marked else []
    return jnp.concatenate([t, *marks], axis=1), s_text, m_t
