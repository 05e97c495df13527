"""World: the drawn parameters of one data-generating process (paper section 5.1)."""

import dataclasses
from numbers import Integral
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from lvm.latents.mixing import Mixing, init_mixing
from lvm.latents.semantics import (
    DEPENDENCES,
    Draw,
    Semantics,
    draw_semantics,
    wishart_cholesky,
)
from lvm.latents.switch import check_index, check_name

VARIANTS = ("paper", "reference")


@dataclasses.dataclass(frozen=True)
class WorldSpec:
    """Static choices of a world; the defaults are the paper's.

    semantics, image_only, text_only: dimensions of s, m_x and m_t.
    mixing_layers: layers of g_x and of g_t.
    variant: "paper", or "reference" for the covariances of the authors' code: identities for noise,
        m_x and m_t if semantics are independent, else one draw for semantics and noise and one for
        m_x and m_t.

    Raises ValueError for a size below 1 or an unknown variant.
    """

    semantics: int = 10
    image_only: int = 5
    text_only: int = 5
    mixing_layers: int = 3
    variant: str = "paper"

    def __post_init__(self):
        for field in ("semantics", "image_only", "text_only", "mixing_layers"):
            value = getattr(self, field)
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
                raise ValueError(f"world.{field} is {value}: allowed is 1 or more, an integer")
        if self.variant not in VARIANTS:
            allowed = ", ".join(VARIANTS)
            raise ValueError(f"world.variant is {self.variant!r}: allowed is one of {allowed}")
        if self.variant == "reference" and self.image_only != self.text_only:
            raise ValueError(
                f"world.text_only is {self.text_only}: allowed is world.image_only, "
                f"{self.image_only}, in variant 'reference', which draws one covariance for both"
            )


PAPER_SPEC = WorldSpec()


class World(NamedTuple):
    """One world; its latents are z_x = (s, m_x) and z_t = (selected s~, m_t).

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


def init_world(
    key: Key[Array, ""],
    spec: WorldSpec = PAPER_SPEC,
    dependence: str | Draw | Int[Array, ""] = "independent",
) -> World:
    """Draws a world (paper section 5.1).

    `dependence` is a name in `DEPENDENCES`, its traced index int32 [], or a function (key, number
    of semantics) -> Semantics. In the variant "paper", one key gives worlds that differ in the law
    of the semantics alone. Raises ValueError for an unknown name, for an index, if its value is
    known, outside `DEPENDENCES`, and for a function whose result has other shapes.
    """
    if isinstance(dependence, str):
        index = list(DEPENDENCES).index(check_name(dependence, DEPENDENCES, "dependence"))
        dependence = jnp.int32(index)
    if not callable(dependence):
        check_index(dependence, DEPENDENCES, "dependence")
    key_s, key_x, key_t, key_noise, key_mix_x, key_mix_t = jax.random.split(key, 6)
    n, d_x, d_t = spec.semantics, spec.image_only, spec.text_only
    root_x, root_t, root_noise = (
        wishart_cholesky(key, size) for key, size in ((key_x, d_x), (key_t, d_t), (key_noise, n))
    )
    if spec.variant == "reference":
        independent = dependence == list(DEPENDENCES).index("independent")
        root_x = root_t = jnp.where(independent, jnp.eye(d_x), root_x)
        root_noise = jnp.where(independent, jnp.eye(n), wishart_cholesky(key_s, n))
    return World(
        semantics=draw_semantics(key_s, n, dependence),
        root_x=root_x,
        root_t=root_t,
        root_noise=root_noise,
        mixing_x=init_mixing(key_mix_x, n + d_x, spec.mixing_layers),
        mixing_t=init_mixing(key_mix_t, n + d_t, spec.mixing_layers),
    )
