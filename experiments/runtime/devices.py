"""Devices: maps a function of one lane over many lanes on all devices."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

NUMERIC_SETTINGS = {
    "jax_default_matmul_precision": None,
    "jax_default_prng_impl": "threefry2x32",
    "jax_enable_x64": False,
    "jax_numpy_dtype_promotion": "standard",
    "jax_random_seed_offset": 0,
    "jax_threefry_partitionable": True,
}
CPU_FLAGS = (  # of XLA: one thread for each lane; the other two make its steps faster
    "--xla_cpu_multi_thread_eigen=false",
    "--xla_cpu_prefer_vector_width=512",
    "--xla_cpu_scheduler_type=CPU_SCHEDULER_TYPE_MEMORY_OPTIMIZED",
)
LANES, PAIRS = "lanes", "pairs"  # axes of a mesh: lanes side by side, a batch's pairs within a lane


def use_every_core() -> None:
    """Makes every core of a CPU a device with one thread; call it before any other use of JAX.

    Several lanes, one on each core, use the cores better than one lane on all of them. Accelerators
    are not affected. The environment variable JAX_NUM_CPU_DEVICES overrides the number of devices.
    There are at least two: for one device XLA compiles another program with other rounding, while
    on two or more a lane has the same bits for any number of devices, if XLA's thread pool has one
    size: the number of cores, or of devices if these are more, or NPROC.

    It adds `CPU_FLAGS` to the environment variable XLA_FLAGS; where both set an option, `CPU_FLAGS`
    decide.
    """
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count())
    count = int(os.environ.get("JAX_NUM_CPU_DEVICES") or len(usable))
    jax.config.update("jax_num_cpu_devices", max(2, count))
    os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *CPU_FLAGS])


def fix_numeric_settings() -> None:
    """Sets every option of JAX that changes numbers, so that the environment does not.

    Commands call it first: a run resumed under other environment variables gives the same bits.
    """
    for option, value in NUMERIC_SETTINGS.items():
        jax.config.update(option, value)


def enable_compilation_cache() -> None:
    """Keeps compiled programs in the user's cache folder for the next start.

    The environment variable JAX_COMPILATION_CACHE_DIR overrides the folder.
    """
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        jax.config.update("jax_compilation_cache_dir", str(caches / "misalign"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)


def make_mesh(lanes: int, devices_per_lane: int = 1) -> Mesh:
    """Returns a mesh of devices; those that share a lane are on the axis PAIRS.

    It has no more devices than `lanes` need, but at least two CPU devices (see `use_every_core`);
    with several processes it has all devices. Raises ValueError if `devices_per_lane` does not
    divide the number of devices.
    """
    devices = jax.devices()
    if len(devices) % devices_per_lane:
        raise ValueError(
            f"devices_per_lane is {devices_per_lane}: allowed is a divisor of {len(devices)}, the "
            "number of devices"
        )
    if jax.process_count() == 1:
        least = 2 if devices[0].platform == "cpu" else 1
        devices = devices[: max(least, lanes) * devices_per_lane]
    return Mesh(np.array(devices).reshape(-1, devices_per_lane), (LANES, PAIRS))


def shard_lanes(mesh: Mesh, stacked: Any) -> Any:
    """Places host arrays with lanes on axis 0 evenly on the devices.

    If the devices do not divide the lanes, copies of the first lane are added.
    """
    sharding = NamedSharding(mesh, PartitionSpec(LANES))

    def place(leaf):
        gap = -len(leaf) % mesh.shape[LANES]
        leaf = np.concatenate([leaf, leaf[:1].repeat(gap, 0)]) if gap else np.asarray(leaf)
        return jax.make_array_from_callback(leaf.shape, sharding, lambda index: leaf[index])

    return jax.tree.map(place, stacked)


def replicate(mesh: Mesh, arrays: Any) -> Any:
    """Places complete host arrays on each device."""
    sharding = NamedSharding(mesh, PartitionSpec())
    place = lambda leaf: jax.make_array_from_callback(leaf.shape, sharding, lambda index: leaf)
    return jax.tree.map(place, arrays)


def gather(stacked: Any) -> Any:
    """Returns arrays of all devices as NumPy arrays, the same in every process."""
    if jax.process_count() == 1:
        return jax.device_get(stacked)
    return multihost_utils.process_allgather(stacked, tiled=True)


def map_lanes(
    mesh: Mesh,
    one_lane: Callable[..., Any],
    shared: Any,
    *stacked: Any,
    together: int | None = None,
) -> Any:
    """Maps `one_lane(shared, *lane)` over axis 0 of arrays from `shard_lanes`.

    An accelerator runs its lanes together, a CPU device one after another, which is faster there.
    `shared` comes from `replicate`.

    together: largest number of lanes that an accelerator runs at once; None for all.
    """

    def device_lanes(shared, *lanes):
        of_lane = partial(one_lane, shared)
        if is_cpu(mesh):
            return jax.lax.map(lambda lane: of_lane(*lane), lanes)
        if together is not None:
            return jax.lax.map(lambda lane: of_lane(*lane), lanes, batch_size=together)
        return jax.vmap(of_lane)(*lanes)

    return map_devices(mesh, device_lanes, shared, *stacked)


def map_devices(mesh: Mesh, function: Callable[..., Any], shared: Any, *stacked: Any) -> Any:
    """Calls a function on every device (or group of PAIRS) with the lanes of that device."""
    return jax.shard_map(
        function,
        mesh=mesh,
        in_specs=(PartitionSpec(), *(PartitionSpec(LANES) for _ in stacked)),
        out_specs=PartitionSpec(LANES),
        axis_names={LANES},
        check_vma=False,
    )(shared, *stacked)


def is_cpu(mesh: Mesh) -> bool:
    """Returns whether the devices of a mesh are CPU cores."""
    return mesh.devices.flat[0].platform == "cpu"


def bytes_needed(compiled: jax.stages.Compiled) -> int:
    """Returns the bytes that a compiled program needs on each device, by XLA's analysis."""
    memory = compiled.memory_analysis()
    return (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        + memory.temp_size_in_bytes
        - memory.alias_size_in_bytes
    )


def is_out_of_memory(error: jax.errors.JaxRuntimeError) -> bool:
    """Returns whether a program failed because a device had no memory left."""
    return "RESOURCE_EXHAUSTED" in str(error)


def bytes_usable() -> int:
    """Returns the bytes that a program may use on each device, most of its memory."""
    device = jax.local_devices()[0]
    stats = device.memory_stats() or {}
    if "bytes_limit" in stats:
        return int(0.9 * stats["bytes_limit"])
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(0.7 * total / jax.local_device_count())
