"""Devices: a function of one lane, mapped over many lanes on all devices at hand."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec


def over_lanes(one_lane: Callable[..., Any], *stacked: Any) -> Any:
    """`one_lane` mapped over axis 0 of pytrees that stack lanes; any number of lanes will do.

    The lanes are spread evenly over the devices. An accelerator takes its lanes together, a CPU
    device one after another, which is faster there.
    """
    count = len(jax.tree.leaves(stacked)[0])
    devices = jax.devices()[:count]
    mesh = Mesh(np.array(devices), ("lanes",))
    padding = -count % len(devices)
    padded = jax.tree.map(
        lambda leaf: jnp.concatenate([leaf, leaf[:1].repeat(padding, 0)]), stacked
    )
    results = jax.shard_map(
        _one_by_one(one_lane) if jax.default_backend() == "cpu" else jax.vmap(one_lane),
        mesh=mesh,
        in_specs=PartitionSpec("lanes"),
        out_specs=PartitionSpec("lanes"),
        check_vma=False,
    )(*padded)
    return jax.tree.map(lambda leaf: leaf[:count], results)


def _one_by_one(one_lane):
    return lambda *stacked: jax.lax.map(lambda lane: one_lane(*lane), stacked)
