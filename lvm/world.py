"""World: the drawn parameters of one data-generating process (paper section 5.1)."""

import dataclasses
from typing import NamedTuple

import jax
from jaxtyping import Array, Float, Int, Key

from lvm.mixing import Mixing, init_mixing
from lvm.semantics import Semantics, draw_semantics, wishart_cholesky


@dataclasses.dataclass(frozen=True)
class WorldSpec:
    """Static sizes of a world; the defaults are the paper's.

    Raises ValueError for a size below 1.
    """

    semantics: int = 10
    image_only: int = 5
    text_only: int = 5
    mixing_layers: int = 3

    def __post_init__(self):
        for field, value in dataclasses.asdict(self).items():
            if value < 1:
                raise ValueError(f"world.{field} is {value}: allowed is 1 or more")


class World(NamedTuple):
    """One drawn world. Its latents are z_x = (s, m_x) and z_t = (selected s~, m_t).

    semantics:  the law of s [n].
    root_x:     float32 [d_x, d_x], Cholesky factor of the covariance of m_x ~ N(0, Wishart).
    root_t:     float32 [d_t, d_t], the same for m_t.
    root_noise: float32 [n, n], the same for the noise that distorts semantics in the text.
    mixing_x:   weights of g_x, float32 [layers, n + d_x, n + d_x].
    mixing_t:   weights of g_t, float32 [layers, n + d_t, n + d_t].
    """

    semantics: Semantics
    root_x: Float[Array, "d_x d_x"]
    root_t: Float[Array, "d_t d_t"]
    root_noise: Float[Array, "n n"]
    mixing_x: Mixing
    mixing_t: Mixing


def init_world(key: Key[Array, ""], spec: WorldSpec, dependence: Int[Array, ""]) -> World:
    """Draws a world whose semantics follow `DEPENDENCES[dependence]`, which may be traced.

    All but the law of the semantics is the same for every dependence under one key.
    """
    key_s, key_x, key_t, key_noise, key_mix_x, key_mix_t = jax.random.split(key, 6)
    n, d_x, d_t = spec.semantics, spec.image_only, spec.text_only
    return World(
        semantics=draw_semantics(key_s, n, dependence),
        root_x=wishart_cholesky(key_x, d_x),
        root_t=wishart_cholesky(key_t, d_t),
        root_noise=wishart_cholesky(key_noise, n),
        mixing_x=init_mixing(key_mix_x, n + d_x, spec.mixing_layers),
        mixing_t=init_mixing(key_mix_t, n + d_t, spec.mixing_layers),
    )
