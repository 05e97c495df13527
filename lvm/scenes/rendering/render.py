"""Render: the image of a scene, ray-marched on the device."""

import dataclasses
import math
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from lvm.checks import check_count
from lvm.scenes.rendering.light import (
    GROUND_PAINT,
    OBJECT_PAINT,
    SPOTLIGHT_PAINT,
    Surface,
    hue_color,
    shade,
    tinted,
)
from lvm.scenes.rendering.march import lit_fraction, march, surface_properties
from lvm.scenes.rendering.sculptures import SCULPTURES
from lvm.scenes.rendering.stage import SPREAD, WINDOW, Stage, rays, set_stage, window
from lvm.scenes.sampler import Scenes, check_scenes

LIFT = 0.015  # of points off their surface, which would otherwise shadow them


@dataclasses.dataclass(frozen=True)
class Quality:
    """Quality of rendering.

    steps:        number of steps along a ray from the camera to the object.
    shadow_steps: number of steps from a surface towards the spotlight.
    samples:      square root of the number of rays through each pixel of the object.

    Raises ValueError for a field below 1.
    """

    steps: int = 28
    shadow_steps: int = 24
    samples: int = 1

    def __post_init__(self):
        for field, value in dataclasses.asdict(self).items():
            if value < 1:
                raise ValueError(f"quality.{field} is {value}: allowed is 1 or more")


def render(
    scene: Scenes, resolution: int = 64, quality: Quality = Quality()
) -> UInt8[Array, "height width 3"]:
    """Returns the image of one scene: uint8 [resolution, resolution, 3], in sRGB with a gamma of 2.

    The layout is that of Causal3DIdent (`stage`). The objects are our own models (`sculptures`),
    each in a ball of radius 3.6, large enough that shape, rotation and hue are visible at 64x64.
    Hues cover the whole circle of HSV, with a saturation of 0.8 on the object, 0.9 in the spotlight
    and 0.6 on the ground. Raises ValueError for a resolution below 1, for several scenes and for a
    known latent out of range.
    """
    check_count("resolution", resolution)
    check_scenes(scene, (), ", one scene; use jax.vmap for several")
    return _render(scene, resolution, quality)


@partial(jax.jit, static_argnames=("resolution", "quality"))
@jax.default_matmul_precision("float32")
def _render(scene: Scenes, resolution: int, quality: Quality):
    width = math.ceil(WINDOW * resolution)
    table, stage = jnp.asarray(SCULPTURES)[scene.shape], set_stage(scene)
    corner = window(scene, resolution, width)
    sculpture, cover = _object(table, stage, scene, corner, width, resolution, quality)
    ground = _ground(stage, scene, resolution)
    parts = zip(sculpture, ground, strict=True)
    surface = Surface(*(jnp.concatenate(part, axis=-1) for part in parts))
    lit = lit_fraction(table, surface.points, stage.lamp, quality.shadow_steps)
    colors = shade(stage, hue_color(scene.s_color, *SPOTLIGHT_PAINT), surface, lit)
    front, back = jnp.split(colors, [cover.size], axis=1)
    front, cover = (_per_pixel(part, width, quality) for part in (front * cover, cover))
    start = jnp.int32(0), *corner
    back = back.reshape(3, resolution, resolution)
    blended = front + (1 - cover) * jax.lax.dynamic_slice(back, start, front.shape)
    image = jax.lax.dynamic_update_slice(back, blended, start)
    levels = jnp.round(255 * jnp.sqrt(jnp.clip(image, 0, 1)))
    return jnp.moveaxis(levels, 0, -1).astype(jnp.uint8)


def _object(
    table, stage, scene, corner, width, resolution, quality
) -> tuple[Surface, Float[Array, "1 rays"]]:
    """Returns the object in a square of the image, and the fraction [1, rays] that it covers."""
    samples = quality.samples
    directions = rays(stage.camera, samples * corner, samples * width, samples * resolution)
    pixel = 2 * SPREAD / (samples * resolution)
    travel, cover = march(table, stage.eye, directions, pixel, steps=quality.steps)
    points = stage.eye[:, None] + travel[None] * directions
    normals, sky, tint = surface_properties(table, points)
    albedo = tinted(hue_color(scene.color, *OBJECT_PAINT), tint)
    lifted = points + LIFT * normals
    return Surface(lifted, normals, directions, albedo, sky, jnp.ones_like(sky)), cover[None]


def _ground(stage: Stage, scene: Scenes, resolution: int) -> Surface:
    """Returns the ground, which every ray hits; it has no gloss."""
    directions = rays(stage.camera, jnp.zeros(2, jnp.int32), resolution, resolution)
    travel = (stage.ground - stage.up @ stage.eye) / (stage.up @ directions)
    points = stage.eye[:, None] + travel[None] * directions
    normals, albedo = (
        jnp.broadcast_to(part[:, None], directions.shape)
        for part in (stage.up, hue_color(scene.b_color, *GROUND_PAINT))
    )
    sky, gloss = jnp.ones_like(travel), jnp.zeros_like(travel)
    return Surface(points, normals, directions, albedo, sky, gloss)


def _per_pixel(
    values: Float[Array, "channels rays"], width: int, quality: Quality
) -> Float[Array, "channels width width"]:
    """Returns the mean over the samples of each pixel."""
    samples = quality.samples
    return values.reshape(-1, width, samples, width, samples).mean((2, 4))
