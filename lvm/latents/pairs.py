"""Pairs: images and texts that share their semantics, the text up to its bias."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.tree_util import Partial
from jaxtyping import Array, Float, Int, Key

from lvm.bias import Bias
from lvm.checks import check_count, check_mask, check_probability, check_shape
from lvm.latents.misalignment import (
    MISALIGNMENTS,
    Misaligned,
    Misalignment,
    MisalignmentSpec,
    Rows,
    Scene,
    Shift,
    misalign,
)
from lvm.latents.mixing import mix
from lvm.latents.noise_laws import NOISE_LAWS
from lvm.latents.semantics import solve_semantics
from lvm.latents.switch import check_index, check_name
from lvm.latents.world import World


class Pairs(NamedTuple):
    """A batch of pairs and their latents; all float32.

    x, t:     observations [count, n + d_x] and [count, n + d_t].
    s:        true semantics [count, n].
    s_text:   semantics in the text [count, n]: misaligned, and 0 where not selected.
    m_x, m_t: image-only [count, d_x] and text-only [count, d_t] latents.

    With several captions of an image, those of t, s_text and m_t are concatenated along axis 1.
    With a missing indicator, the t of each caption ends in n more columns, 1 where a value is
    missing.
    """

    x: Float[Array, "count x"]
    t: Float[Array, "count t"]
    s: Float[Array, "count n"]
    s_text: Float[Array, "count caption"]
    m_x: Float[Array, "count d_x"]
    m_t: Float[Array, "count d_t"]


@jax.default_matmul_precision("float32")
def sample_pairs(
    key: Key[Array, ""],
    world: World,
    bias: Bias,
    count: int,
    *,
    noise_probability: Float[Array, ""] | float = 0.75,
    misalignment: str | Misalignment | Int[Array, ""] = "noise",
    noise_law: str | Callable[[Rows], Rows] = "gaussian",
    spec: MisalignmentSpec | None = None,
    shift: Shift | None = None,
) -> Pairs:
    """Samples `count` pairs (paper section 3).

    Each perturbable semantic is distorted in the text with `noise_probability`, by correlated
    Gaussian noise. A distortion changes neither the image nor the descendants of a semantic.

    noise_probability: float32 [], the rate of the misalignment.
    misalignment: a name in `MISALIGNMENTS`, a traced index int32 [] of one in `spec.kinds`, or a
                  function (scene, rate) -> Misaligned, without missing indicator, as those in
                  `lvm.latents.misalignment`.
    noise_law:    a name in `NOISE_LAWS`, or a function from standard normal numbers to exogenous
                  noise, float32 [count, n] each.
    spec:         static choices; by default one caption and the named misalignment.
    shift:        (key, s) -> s, changes the semantics before anything else, as `heavy_tails`.

    A call outside jit compiles once for each function `noise_law` and `shift`: give the same
    function, not a new closure, at each call.

    Raises ValueError for an unknown name, a count below 1, a bias of another size than the world, a
    noise law or shift that changes the shape, a function `misalignment` whose result has another
    shape or another s, and for a `noise_probability` outside 0..1 or a kind
    that is not in `spec.kinds` if the value is known.
    """
    check_count("count", count)
    check_probability("noise_probability", noise_probability)
    _check_bias(bias, world)
    if isinstance(noise_law, str):
        noise_law = NOISE_LAWS[check_name(noise_law, NOISE_LAWS, "noise_law")]
    if not callable(noise_law):
        raise ValueError(
            f"noise_law is {noise_law!r}: allowed is a function or one of {', '.join(NOISE_LAWS)}"
        )
    spec, kind = _spec_and_kind(spec, misalignment)
    key_noise, key_subset, key_shift = jax.random.split(key, 3)
    n, d_x, d_t = len(bias.selected), len(world.root_x), len(world.root_t)
    ends = [n + d_x + caption * (d_t + n) for caption in range(spec.captions + 1)]
    # a CPU draws one flat array faster than many short rows
    noise = jax.random.normal(key_noise, (count * ends[-1],)).reshape(count, ends[-1])
    noise_s, noise_x, *noises = jnp.split(noise, [n, *ends[:-1]], axis=1)
    uniforms = jax.random.uniform(key_subset, (count * n * spec.captions,)).reshape(count, -1)
    shift_s = Partial(_unshifted) if shift is None else Partial(shift, key_shift)
    noise_law = Partial(noise_law)  # a pytree, as `shift_s`: calls of one function compile once
    noise_s = noise_law(noise_s)
    check_shape("the result of noise_law", noise_s, (count, n), ", the shape of its argument")
    s = shift_s(solve_semantics(world.semantics, noise_s))
    check_shape("the result of shift", s, (count, n), ", the shape of its argument")

    def caption(noise, uniform):
        noise_t, normal = jnp.split(noise, [d_t], axis=1)
        draws = (noise_s, s, uniform, normal)
        scene = Scene(world.semantics, world.root_noise, bias, *draws, shift_s, noise_law)
        misaligned = misalign(spec, kind, scene, noise_probability)
        return misaligned.s, *_text(world, bias, spec, misaligned, noise_t)

    captions = map(caption, noises, jnp.split(uniforms, spec.captions, axis=1))
    (shown, *_), *texts = zip(*captions, strict=True)
    t, s_text, m_t = (jnp.concatenate(parts, axis=1) for parts in texts)
    m_x = noise_x @ world.root_x.T
    x = mix(world.mixing_x, jnp.concatenate([shown, m_x], axis=1))
    return Pairs(x, t, shown, s_text, m_x, m_t)


def _spec_and_kind(spec, misalignment):
    """The static choices and the index of the kind of misalignment."""
    if not isinstance(misalignment, str):
        if not callable(misalignment):
            check_index(misalignment, MISALIGNMENTS, "misalignment")
        return MisalignmentSpec() if spec is None else spec, misalignment
    check_name(misalignment, MISALIGNMENTS, "misalignment")
    spec = MisalignmentSpec((misalignment,)) if spec is None else spec
    return spec, list(MISALIGNMENTS).index(misalignment)


def _check_bias(bias, world):
    n = len(world.semantics.scale)
    check_mask("bias.selected", bias.selected, n, ", as the semantics of the world")
    check_mask("bias.perturbable", bias.perturbable, n, ", as the semantics of the world")


def _unshifted(s):
    return s


def _text(world, bias, spec: MisalignmentSpec, misaligned: Misaligned, noise_t):
    """The text t of one caption, its semantics, and its text-only latents m_t."""
    m_t = noise_t @ world.root_t.T
    s_text = jnp.where(bias.selected[None], misaligned.caption, 0.0)
    t = mix(world.mixing_t, jnp.concatenate([s_text, m_t], axis=1))
    indicator = [misaligned.missing.astype(t.dtype)] if spec.has_indicator else []
    return jnp.concatenate([t, *indicator], axis=1), s_text, m_t
