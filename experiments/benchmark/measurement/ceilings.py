"""Ceilings: the fastest matrix products and copies of the devices, to compare rates with."""

import time
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from experiments.benchmark.measurement.cases import Case, Ceilings, Prepared, Row, make_row
from experiments.benchmark.measurement.timing import Program, measure
from experiments.benchmark.sizes import Sizes
from experiments.runtime.devices import LANES, bytes_needed, map_devices

MIB = 2**20
COPY = "copy"
PRODUCT = "float32 product"


def measure_ceilings(sizes: Sizes) -> tuple[list[Row], dict[int, Ceilings]]:
    """Returns rows of the table, and ceilings by number of devices: one, all, and some of them.

    Each device multiplies square matrices, and reads and writes a large array. A ceiling is never
    below that of fewer devices.
    """
    rows, ceilings, highest = [], {}, Ceilings(0.0, 0.0)
    for count in sorted({min(lanes, jax.device_count()) for lanes in (1, *sizes.lanes)}):
        mesh = Mesh(jax.devices()[:count], (LANES,))
        prepared = {
            name: _product(mesh, sizes.product_size, dtype, precision)
            for name, (dtype, precision) in _product_types().items()
        }
        prepared[COPY] = _copy(mesh, sizes.copy_mib)
        programs = {name: ready.program for name, ready in prepared.items()}
        times = measure(programs, sizes.repeats, sizes.repeat_seconds)
        measured = {}
        for name, ready in prepared.items():
            size = sizes.copy_mib if name == COPY else sizes.product_size
            case = Case(name, size, count, lambda ready=ready: ready)
            measured[name] = make_row("ceilings", case, ready, seconds=times[name], ceilings={})
        rows += measured.values()
        rates = Ceilings(1e9 * measured[PRODUCT]["gflops"], 1e9 * measured[COPY]["gb_s"])
        ceilings[count] = highest = Ceilings(*map(max, highest, rates))
    return rows, ceilings


def _product_types() -> dict[str, tuple]:
    """Returns type and precision of the factors by name; tf32 only on a GPU, which has it."""
    types = {PRODUCT: (jnp.float32, "float32"), "bfloat16 product": (jnp.bfloat16, None)}
    if jax.default_backend() == "gpu":
        types["tf32 product"] = (jnp.float32, "tensorfloat32")
    return types


def _product(mesh: Mesh, side: int, dtype, precision) -> Prepared:
    def multiply(_, matrix):
        return jnp.matmul(matrix, matrix, precision=precision)

    flops = 2 * side**3 * mesh.size
    shape = (side, side)
    return _on_all(mesh, multiply, shape=shape, dtype=dtype, flops=flops, donate=False)


def _copy(mesh: Mesh, mib: int) -> Prepared:
    # in place: with new memory the time would be that of the system to provide pages
    shape, negate = (mib * MIB // 4,), lambda _, x: -x
    return _on_all(mesh, negate, shape=shape, dtype=jnp.float32, flops=0, donate=True)


def _on_all(mesh: Mesh, function, *, shape, dtype, flops, donate) -> Prepared:
    """Compiles `function` of an array of ones on every device; `flops` are of all devices."""
    sharding = NamedSharding(mesh, PartitionSpec(LANES))
    make = jax.jit(partial(jnp.ones, (mesh.size, *shape), dtype), out_shardings=sharding)
    ones = make()
    start = time.perf_counter()
    on_all = jax.jit(
        lambda x: map_devices(mesh, function, (), x), donate_argnums=(0,) if donate else ()
    )
    compiled = on_all.lower(ones).compile()
    compile_seconds = time.perf_counter() - start
    call = compiled if donate else lambda _: compiled(ones)
    return Prepared(
        program=Program(call, ones),
        units=1,
        flops=flops,
        bytes=2 * ones.nbytes,
        device_bytes=bytes_needed(compiled),
        compile_seconds=compile_seconds,
        devices=mesh.size,
    )
