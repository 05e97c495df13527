"""Render: the picture of a scene, ray-marched on the device."""

import dataclasses
import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, UInt8

from lvm.scenes.rendering.light import (
    GROUND_PAINT,
    OBJECT_PAINT,
    SPOTLIGHT_PAINT,
    Surface,
    hue_color,
    shine,
    tinted,
)
from lvm.scenes.rendering.march import feel, lit, march
from lvm.scenes.rendering.sculptures import SCULPTURES
from lvm.scenes.rendering.stage import SPREAD, WINDOW, Stage, rays, set_stage, window
from lvm.scenes.sampler import Scenes

LIFT = 0.015  # off the surface, so that it does not lie in its own shadow


@dataclasses.dataclass(frozen=True)
class Quality:
    """How carefully pictures are made.

    steps:        along the ray of a pixel to the object.
    shadow_steps: from what it meets towards the spotlight.
    samples:      rays through each pixel of the object, to either side.

    Raises ValueError for a field below 1.
    """

    steps: int = 28
    shadow_steps: int = 24
    samples: int = 1

    def __post_init__(self):
        for field, value in dataclasses.asdict(self).items():
            if value < 1:
                raise ValueError(f"quality.{field} is {value}: allowed is 1 or more")


@jax.default_matmul_precision("float32")
def render(
    scene: Scenes, resolution: int = 64, quality: Quality = Quality()
) -> UInt8[Array, "height width 3"]:
    """The picture of one scene: uint8 [resolution, resolution, 3], in sRGB but with a gamma of 2.

    The layout is that of Causal3DIdent (`stage`); objects are ours (`sculptures`) and large
    enough that at 64x64 shape, rotation and hue can be seen: a ball of radius 3.6 holds each. Hues
    have the whole circle of HSV, and less than full saturation: 0.8 on the object, 0.9 in the
    spotlight, 0.6 on the ground. Raises ValueError for a resolution below 1.
    """
    if resolution < 1:
        raise ValueError(f"resolution is {resolution}: allowed is 1 or more")
    width = math.ceil(WINDOW * resolution)
    table, stage = jnp.asarray(SCULPTURES)[scene.shape], set_stage(scene)
    corner = window(scene, resolution, width)
    thing, cover = _object(table, stage, scene, corner, width, resolution, quality)
    plane = _ground(stage, scene, resolution)
    both = Surface(*(jnp.concatenate(parts, axis=-1) for parts in zip(thing, plane, strict=True)))
    reaching = lit(table, both.points, stage.lamp, quality.shadow_steps)
    colors = shine(stage, hue_color(scene.s_color, *SPOTLIGHT_PAINT), both, reaching)
    front, behind = jnp.split(colors, [cover.size], axis=1)
    front, cover = (_per_pixel(part, width, quality) for part in (front * cover, cover))
    begin = jnp.int32(0), *corner
    behind = behind.reshape(3, resolution, resolution)
    seen = front + (1 - cover) * jax.lax.dynamic_slice(behind, begin, front.shape)
    picture = jax.lax.dynamic_update_slice(behind, seen, begin)
    shown = jnp.round(255 * jnp.sqrt(jnp.clip(picture, 0, 1)))
    return jnp.moveaxis(shown, 0, -1).astype(jnp.uint8)


def _object(
    table, stage, scene, corner, width, resolution, quality
) -> tuple[Surface, Float[Array, "1 rays"]]:
    """The object seen through a square of the picture, and the share [1, rays] that it covers."""
    finer = quality.samples
    gaze = rays(stage.camera, finer * corner, finer * width, finer * resolution)
    pixel = 2 * SPREAD / (finer * resolution)
    travel, cover = march(table, stage.eye, gaze, pixel, steps=quality.steps)
    points = stage.eye[:, None] + travel[None] * gaze
    normals, sky, tint = feel(table, points)
    albedo = tinted(hue_color(scene.color, *OBJECT_PAINT), tint)
    lifted = points + LIFT * normals
    return Surface(lifted, normals, gaze, albedo, sky, jnp.ones_like(sky)), cover[None]


def _ground(stage: Stage, scene: Scenes, resolution: int) -> Surface:
    """The ground, which every ray meets; it does not glint."""
    gaze = rays(stage.camera, jnp.zeros(2, jnp.int32), resolution, resolution)
    travel = (stage.ground - stage.up @ stage.eye) / (stage.up @ gaze)
    points = stage.eye[:, None] + travel[None] * gaze
    normals, albedo = (
        jnp.broadcast_to(part[:, None], gaze.shape)
        for part in (stage.up, hue_color(scene.b_color, *GROUND_PAINT))
    )
    return Surface(points, normals, gaze, albedo, jnp.ones_like(travel), jnp.zeros_like(travel))


def _per_pixel(
    samples: Float[Array, "channels rays"], width: int, quality: Quality
) -> Float[Array, "channels width width"]:
    """The mean over the samples of each pixel."""
    finer = quality.samples
    return samples.reshape(-1, width, finer, width, finer).mean((2, 4))
