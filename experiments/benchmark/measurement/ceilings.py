"""Ceilings: what the devices themselves can do, so that a rate says how far there is to go."""

import time
from functools import partial

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from experiments.benchmark.measurement.cases import Case, Ceilings, Ready, Row, make_row
from experiments.benchmark.measurement.timing import Program, measure
from experiments.benchmark.sizes import Sizes
from experiments.runtime.devices import LANES, bytes_needed, on_each_device

MIB = 2**20
COPY = "copy"
PRODUCT = "float32 product"


def measure_ceilings(sizes: Sizes) -> tuple[list[Row], dict[int, Ceilings]]:
    """Rows of the table, and ceilings by the number of devices: of one, of all, of some of them.

    Products are of square matrices, one on every device; a copy reads and writes large arrays. Some
    devices can do no less than fewer of them.
    """
    rows, ceilings, most = [], {}, Ceilings(0.0, 0.0)
    for count in sorted({min(lanes, jax.device_count()) for lanes in (1, *sizes.lanes)}):
        mesh = Mesh(jax.devices()[:count], (LANES,))
        ready = {name: _product(mesh, sizes.product, *how) for name, how in _kinds().items()}
        ready[COPY] = _copy(mesh, sizes.copy)
        programs = {name: one.program for name, one in ready.items()}
        times = measure(programs, sizes.repeats, sizes.least)
        found = {}
        for name, one in ready.items():
            size = sizes.copy if name == COPY else sizes.product
            case = Case(name, size, count, lambda one=one: one)
            found[name] = make_row("ceilings", case, one, times[name], {})
        rows += found.values()
        rates = Ceilings(1e9 * found[PRODUCT]["gflops"], 1e9 * found[COPY]["gb_s"])
        ceilings[count] = most = Ceilings(*map(max, most, rates))
    return rows, ceilings


def _kinds() -> dict[str, tuple]:
    """Type and precision of the factors; tf32 only where it is something of its own."""
    kinds = {PRODUCT: (jnp.float32, "float32"), "bfloat16 product": (jnp.bfloat16, None)}
    if jax.default_backend() == "gpu":
        kinds["tf32 product"] = (jnp.float32, "tensorfloat32")
    return kinds


def _product(mesh: Mesh, side: int, dtype, precision) -> Ready:
    def multiply(_, left):
        return jnp.matmul(left, left, precision=precision)

    flops = 2 * side**3 * mesh.size
    return _on_all(mesh, multiply, (side, side), dtype, flops, donate=False)


def _copy(mesh: Mesh, mib: int) -> Ready:
    # in place: fresh memory would be measured by how fast the system hands out pages
    return _on_all(mesh, lambda _, x: -x, (mib * MIB // 4,), jnp.float32, 0, donate=True)


def _on_all(mesh: Mesh, function, shape, dtype, flops, donate) -> Ready:
    sharding = NamedSharding(mesh, PartitionSpec(LANES))
    make = jax.jit(partial(jnp.ones, (mesh.size, *shape), dtype), out_shardings=sharding)
    ones = make()
    start = time.perf_counter()
    on_all = jax.jit(
        lambda x: on_each_device(mesh, function, (), x), donate_argnums=(0,) if donate else ()
    )
    compiled = on_all.lower(ones).compile()
    compiling = time.perf_counter() - start
    call = compiled if donate else lambda _: compiled(ones)
    return Ready(
        Program(call, ones), 1, flops, 2 * ones.nbytes, bytes_needed(compiled), compiling, mesh.size
    )
