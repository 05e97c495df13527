"""Sampler: latents of rendered scenes, drawn from the causal graph of Causal3DIdent."""

from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from lvm.checks import check_count, check_fractions, check_integers, check_shape

SHAPES = ("teapot", "hare", "dragon", "cow", "armadillo", "horse", "head")
PLACES = 3  # positions of the object along each axis
SIZES = {"shape": len(SHAPES), "x_pos": PLACES, "y_pos": PLACES}  # of the discrete latents


class Scenes(NamedTuple):
    """Latents of scenes [n], or of one scene []. The first seven are semantics.

    shape:              int32, an index into SHAPES.
    x_pos, y_pos:       int32 in 0..2, position of the object: left to right, top to bottom.
    s_pos:              float32 in [0, 1], position of the spotlight on its circle, in turns.
    color:              float32 in [0, 1], hue of the object.
    s_color, b_color:   float32 in [0, 1], hues of the spotlight and of the ground.
    alpha, beta, gamma: float32 in [0, 1], image-only: rotations of the object.
    """

    shape: Int[Array | np.ndarray, "*n"]
    x_pos: Int[Array | np.ndarray, "*n"]
    y_pos: Int[Array | np.ndarray, "*n"]
    s_pos: Float[Array | np.ndarray, "*n"]
    color: Float[Array | np.ndarray, "*n"]
    s_color: Float[Array | np.ndarray, "*n"]
    b_color: Float[Array | np.ndarray, "*n"]
    alpha: Float[Array | np.ndarray, "*n"]
    beta: Float[Array | np.ndarray, "*n"]
    gamma: Float[Array | np.ndarray, "*n"]


def sample_scenes(key: Key[Array, ""], count: int) -> Scenes:
    """Draws `count` scenes by the causal graph of Causal3DIdent (paper figures 6 and 14).

    The hue of the object depends on its position, the hue of the spotlight on the position of the
    spotlight, and the hue of the ground on both; all other latents are independent and uniform.
    Raises ValueError for a count below 1.
    """
    check_count("count", count)
    key_shape, key_x, key_y, key_uniform = jax.random.split(key, 4)
    shape = jax.random.randint(key_shape, (count,), 0, len(SHAPES))
    x_pos, y_pos = (jax.random.randint(key, (count,), 0, PLACES) for key in (key_x, key_y))
    uniform = jax.random.uniform(key_uniform, (7, count))
    s_pos, noise_color, noise_s_color, noise_b_color, *rotations = uniform
    color = (x_pos + y_pos) / 6 + noise_color / 3
    s_color = (s_pos + noise_s_color) / 2
    b_color = (s_pos + s_color + noise_b_color) / 3
    return Scenes(shape, x_pos, y_pos, s_pos, color, s_color, b_color, *rotations)


def check_scenes(scenes: Scenes, shape: tuple[int, ...], like: str) -> None:
    """Raises ValueError unless all latents have a shape and, if known, are in their ranges.

    `like` ends the message about a shape.
    """
    for name, latent in scenes._asdict().items():
        check_shape(f"scenes.{name}", latent, shape, like)
        if name in SIZES:
            check_integers(f"scenes.{name}", latent, SIZES[name])
        else:
            check_fractions(f"scenes.{name}", latent)
