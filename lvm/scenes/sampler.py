"""Scenes: the latents of a rendered picture, by the causal graph of Causal3DIdent."""

from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int, Key

SHAPES = ("teapot", "hare", "dragon", "cow", "armadillo", "horse", "head")
PLACES = 3  # of the object, along either axis


class Scenes(NamedTuple):
    """Latents of scenes, or of one scene with scalars for fields. The first seven are semantics.

    shape:              int32, a place in SHAPES.
    x_pos, y_pos:       int32 in 0..2, where the object is: from left to right, from top to bottom.
    s_pos:              float32 in [0, 1], where on its circle the spotlight is, in turns.
    color:              float32 in [0, 1], the hue of the object.
    s_color, b_color:   float32 in [0, 1], the hues of the spotlight and of the ground.
    alpha, beta, gamma: float32 in [0, 1], image-only: how the object is turned.
    """

    shape: Int[Array, "*n"]
    x_pos: Int[Array, "*n"]
    y_pos: Int[Array, "*n"]
    s_pos: Float[Array, "*n"]
    color: Float[Array, "*n"]
    s_color: Float[Array, "*n"]
    b_color: Float[Array, "*n"]
    alpha: Float[Array, "*n"]
    beta: Float[Array, "*n"]
    gamma: Float[Array, "*n"]


def sample_scenes(key: Key[Array, ""], count: int) -> Scenes:
    """Draws `count` scenes by the causal graph of Causal3DIdent (paper figures 6 and 14).

    The hue of the object depends on its place, that of the spotlight on where the spotlight is, and
    that of the ground on both of the spotlight; all else is independent and uniform.
    """
    key_shape, key_x, key_y, key_uniform = jax.random.split(key, 4)
    shape = jax.random.randint(key_shape, (count,), 0, len(SHAPES))
    x_pos, y_pos = (jax.random.randint(key, (count,), 0, PLACES) for key in (key_x, key_y))
    s_pos, of_object, of_spotlight, of_ground, *turns = jax.random.uniform(key_uniform, (7, count))
    color = (x_pos + y_pos) / 6 + of_object / 3
    s_color = (s_pos + of_spotlight) / 2
    b_color = (s_pos + s_color + of_ground) / 3
    return Scenes(shape, x_pos, y_pos, s_pos, color, s_color, b_color, *turns)
