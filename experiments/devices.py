"""Devices: a function of one lane, mapped over many lanes on all devices at hand."""

import os
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def use_every_core() -> None:
    """Makes every core of a CPU a device with one thread; call it before any other use of JAX.

    Lanes that run side by side use cores better than one lane spread over them. Accelerators are
    not concerned.
    """
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count())
    jax.config.update("jax_num_cpu_devices", len(usable))
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen=false"


def lane_sharding(count: int) -> NamedSharding:
    """How arrays of `count` stacked lanes lie on the devices: spread over them, if evenly."""
    mesh = _mesh(count)
    even = count % mesh.size == 0
    return NamedSharding(mesh, PartitionSpec("lanes") if even else PartitionSpec())


def over_lanes(one_lane: Callable[..., Any], *stacked: Any) -> Any:
    """`one_lane` mapped over axis 0 of pytrees that stack lanes; any number of lanes will do.

    The lanes are spread evenly over the devices. An accelerator takes its lanes together, a CPU
    device one after another, which is faster there.
    """
    count = len(jax.tree.leaves(stacked)[0])
    mesh = _mesh(count)
    padding = -count % mesh.size
    fill = lambda leaf: jnp.concatenate([leaf, leaf[:1].repeat(padding, 0)]) if padding else leaf
    results = jax.shard_map(
        _one_by_one(one_lane) if jax.default_backend() == "cpu" else jax.vmap(one_lane),
        mesh=mesh,
        in_specs=PartitionSpec("lanes"),
        out_specs=PartitionSpec("lanes"),
        check_vma=False,
    )(*jax.tree.map(fill, stacked))
    return jax.tree.map(lambda leaf: leaf[:count], results)


def _mesh(count):
    return Mesh(np.array(jax.devices()[:count]), ("lanes",))


def _one_by_one(one_lane):
    return lambda *stacked: jax.lax.map(lambda lane: one_lane(*lane), stacked)
